"""An entry may be about the account of its actor, in no project. Code before this one lists entries by project."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("builds", "0019_project_needs_second_factor")]

    operations = [
        migrations.AlterField(
            model_name='auditentry',
            name='action',
            field=models.CharField(choices=[('project.created', 'Project created'), ('project.edited', 'Project settings changed'), ('project.second_person_changed', 'Second person for production'), ('project.signing_key_changed', 'Signing key changed'), ('project.deleted', 'Project deleted'), ('project.restored', 'Deletion of project undone'), ('project.purged', 'Deleted project purged'), ('member.added', 'Member added'), ('member.role_changed', 'Role changed'), ('member.removed', 'Member removed'), ('member.invited', 'Invited'), ('member.invited_again', 'Invitation sent again'), ('member.invitation_revoked', 'Invitation revoked'), ('member.joined', 'Joined by invitation'), ('token.created', 'Token created'), ('token.revoked', 'Token revoked'), ('build.registered', 'Build registered'), ('build.status_changed', 'Build status changed'), ('build.store_status_changed', 'Store status changed'), ('build.store_status_demoted', 'Replaced as store-live'), ('build.force_update_applied', 'Force Update applied'), ('build.force_update_lifted', 'Force Update lifted'), ('build.deployment_key_revealed', 'Deployment key shown'), ('build.metrics_cleared', 'Metrics cleared'), ('codepush.created', 'CodePush created'), ('codepush.succeeded', 'CodePush succeeded'), ('codepush.failed', 'CodePush failed'), ('codepush.edited', 'CodePush edited'), ('codepush.rolled_back', 'Rolled back'), ('codepush.promoted', 'Promoted'), ('codepush.retried', 'CodePush retried'), ('codepush.canceled', 'CodePush canceled'), ('change.requested', 'Approval asked for'), ('change.approved', 'Change approved'), ('change.refused', 'Change refused'), ('change.withdrawn', 'Request withdrawn'), ('change.expired', 'Request expired'), ('change.outdated', 'Request outdated'), ('codepush.rollback_alert_sent', 'Rollback-rate alert sent'), ('webhook.created', 'Webhook created'), ('webhook.edited', 'Webhook edited'), ('webhook.paused', 'Webhook paused'), ('webhook.resumed', 'Webhook resumed'), ('webhook.secret_replaced', 'Signing secret of a webhook replaced'), ('webhook.deleted', 'Webhook deleted'), ('account.created', 'Account created'), ('account.email_changed', 'E-mail address changed'), ('account.password_changed', 'Password changed'), ('account.password_reset', 'Password reset by mail'), ('account.factor_added', 'Second factor added'), ('account.factor_removed', 'Second factor removed'), ('account.codes_renewed', 'Recovery codes renewed'), ('account.linked', 'Linked to single sign-on'), ('account.session_ended', 'Session ended')], max_length=40),
        ),
        migrations.AlterField(
            model_name='auditentry',
            name='project',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='audit_entries', to='builds.project'),
        ),
    ]
