"""The database notes by its own clock when each label came: the product's may be what is wrong."""

START = """
    CREATE TABLE drill_success (codepush_id bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp());
    CREATE FUNCTION drill_note_success() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO drill_success (codepush_id) VALUES (NEW.id) ON CONFLICT DO NOTHING;
        RETURN NEW;
    END $$;
    CREATE TRIGGER drill_note_success AFTER INSERT OR UPDATE ON deployments_codepush
        FOR EACH ROW WHEN (NEW.status = 'success') EXECUTE FUNCTION drill_note_success();
"""
# Of one build: (number, when in seconds since the epoch, deployment id, package hash).
LABELS = """
    SELECT label_number, extract(epoch FROM at)::float, deployment_id, package_hash
    FROM deployments_codepush c
    JOIN deployments_bundle b ON b.id = bundle_id
    JOIN drill_success ON codepush_id = c.id
    WHERE build_id = %s AND status = 'success' ORDER BY label_number
"""
