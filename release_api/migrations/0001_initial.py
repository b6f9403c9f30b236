import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('builds', '0007_token_user'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='What it is for.', max_length=100)),
                ('digest', models.CharField(max_length=64)),
                ('ending', models.CharField(help_text='Its last characters, by which people tell tokens apart.', max_length=4)),
                ('role', models.CharField(choices=[('viewer', 'Viewer'), ('release_manager', 'Release manager'), ('admin', 'Admin')], help_text='The most it may do.', max_length=20)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('last_used_address', models.CharField(blank=True, max_length=45)),
                ('project', models.ForeignKey(blank=True, help_text='The only one it reaches. Empty: every project of the person.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to='builds.project')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'API token',
                'ordering': ('-id',),
            },
        ),
        migrations.CreateModel(
            name='StoredAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200)),
                ('request_sha256', models.CharField(help_text='Of method, path and body.', max_length=64)),
                ('status', models.PositiveSmallIntegerField(default=0)),
                ('body', models.TextField(default='{}', help_text='JSON.')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('token', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='release_api.apitoken')),
            ],
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.UniqueConstraint(fields=('digest',), name='token_digest_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['viewer', 'release_manager', 'admin'])), name='token_role_is_known'),
        ),
        migrations.AddIndex(
            model_name='storedanswer',
            index=models.Index(fields=['created_at'], name='stored_answer_by_age'),
        ),
        migrations.AddConstraint(
            model_name='storedanswer',
            constraint=models.UniqueConstraint(fields=('token', 'key'), name='idempotency_key_is_unique_per_token'),
        ),
    ]
