from codepush_cli.main import main

main()
