from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("builds", "0007_token_user"),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('project.created', 'Project created'), ('project.edited', 'Project settings changed'), ('member.added', 'Member added'), ('member.role_changed', 'Role changed'), ('member.removed', 'Member removed'), ('token.created', 'Token created'), ('token.revoked', 'Token revoked'), ('build.registered', 'Build registered'), ('build.status_changed', 'Build status changed'), ('build.store_status_changed', 'Store status changed'), ('build.store_status_demoted', 'Replaced as store-live'), ('build.force_update_applied', 'Force Update applied'), ('build.force_update_lifted', 'Force Update lifted'), ('build.deployment_key_revealed', 'Deployment key shown'), ('build.metrics_cleared', 'Metrics cleared'), ('codepush.created', 'CodePush created'), ('codepush.succeeded', 'CodePush succeeded'), ('codepush.failed', 'CodePush failed'), ('codepush.edited', 'CodePush edited'), ('codepush.rolled_back', 'Rolled back'), ('codepush.promoted', 'Promoted'), ('codepush.retried', 'CodePush retried'), ('codepush.canceled', 'CodePush canceled')], max_length=40),
        ),
    ]
