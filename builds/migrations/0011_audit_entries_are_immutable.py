"""On PostgreSQL nobody alters an audit entry, and only the retention deletes one. Elsewhere the model refuses.

One thing may change: a deleted account is taken out of `actor` (its name stays). Present code does nothing else.
"""

from django.db import migrations

# A week stays, whatever is set: what somebody did with a stolen console must stay visible.
GUARD = """
CREATE FUNCTION builds_guard_auditentry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    days integer := nullif(current_setting('codepush.audit_retention_days', true), '')::integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.actor_id IS NULL AND to_jsonb(NEW) - 'actor_id' = to_jsonb(OLD) - 'actor_id' THEN
            RETURN NEW;
        END IF;
        RAISE EXCEPTION 'An audit entry is never altered.' USING ERRCODE = 'restrict_violation';
    END IF;
    IF days >= 1 AND OLD.created_at < now() - make_interval(days => greatest(days, 7)) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'An audit entry is never deleted.' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER builds_auditentry_is_immutable BEFORE UPDATE OR DELETE ON builds_auditentry
    FOR EACH ROW EXECUTE FUNCTION builds_guard_auditentry();
"""
UNGUARD = """
DROP TRIGGER builds_auditentry_is_immutable ON builds_auditentry;
DROP FUNCTION builds_guard_auditentry();
"""


def _on_postgresql(statements):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(statements)

    return run


class Migration(migrations.Migration):

    dependencies = [("builds", "0010_audit_address")]

    operations = [migrations.RunPython(_on_postgresql(GUARD), _on_postgresql(UNGUARD))]
