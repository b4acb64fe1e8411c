-- Four roles with the rights that each needs and no more. Run it as the owner of
-- the database or a superuser, before the first migration and again at any time:
--
--   psql "$ADMIN_URL" -v ON_ERROR_STOP=1 -f sql/roles.sql
--
-- The tables are those of the schema that search_path names first. Roles that are
-- there already stay as they are; what they may do here is set anew. None has a
-- password yet: give them one with \password, or let them in by certificate.
--
--   trivia_migrator   triviactl migrate; owns the tables
--   trivia_hook       trivia-hook
--   trivia_operator   triviactl
--   trivia_reader     triviactl's listings, explain, export and doctor; dashboards
--
-- A grant_prize of your own runs with the rights of trivia_hook, and of
-- trivia_operator when deliveries are replayed: grant both what it touches, or
-- make it SECURITY DEFINER with a search_path of its own.

DO $$
DECLARE
	role text;
	home text := current_schema();
BEGIN
	FOREACH role IN ARRAY ARRAY['trivia_migrator', 'trivia_hook', 'trivia_operator', 'trivia_reader'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
			EXECUTE format('CREATE ROLE %I LOGIN', role);
		END IF;
		EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', home, role);
	END LOOP;
	EXECUTE format('GRANT CREATE ON SCHEMA %I TO trivia_migrator', home);

	-- What is there.
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO trivia_hook, trivia_operator', home);
	EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO trivia_reader', home);
	EXECUTE format('GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA %I TO trivia_hook, trivia_operator, trivia_reader', home);

	-- What migrations will add.
	EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE trivia_migrator IN SCHEMA %I
		GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO trivia_hook, trivia_operator', home);
	EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE trivia_migrator IN SCHEMA %I
		GRANT SELECT ON TABLES TO trivia_reader', home);
	EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE trivia_migrator IN SCHEMA %I
		GRANT EXECUTE ON FUNCTIONS TO trivia_hook, trivia_operator, trivia_reader', home);

	-- Nobody but the migrator counts migrations, and nobody deletes what was
	-- written down. Run this file after the first migration, too, and it holds.
	IF to_regclass('trivia_schema_version') IS NOT NULL THEN
		REVOKE INSERT, UPDATE, DELETE ON trivia_schema_version FROM trivia_hook, trivia_operator;
	END IF;
	IF to_regclass('audit_log') IS NOT NULL THEN
		REVOKE DELETE ON audit_log FROM trivia_hook, trivia_operator;
		REVOKE UPDATE ON audit_log FROM trivia_hook; -- forgetting a person is an operator's
	END IF;
	IF to_regclass('trivia_wins') IS NOT NULL THEN
		REVOKE DELETE ON trivia_wins, prizes FROM trivia_hook;
	END IF;
	IF to_regclass('forget_key') IS NOT NULL THEN
		REVOKE ALL ON forget_key FROM trivia_reader;
	END IF;
END
$$;
