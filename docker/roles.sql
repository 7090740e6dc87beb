-- The database, the roles and their privileges.  The entrypoint runs this script at every
-- start, before the server accepts clients.  So each statement can run again, and a new
-- password or a new version of the extension takes effect at a restart.
--
--	postgres		superuser, no password: see pg_hba.conf
--	spice_tables	owns the tables; refresh_sql runs with its rights; no login
--	spice_reader	reads the tables; no login
--	app				the application's login: a member of spice_reader, and nothing else
--	spice_subscriber	of a hub: sidecars log in with it to follow its tables

\getenv app SPICE_APP_USER
\getenv database SPICE_APP_DATABASE
\getenv password SPICE_APP_PASSWORD
\getenv subscriber SPICE_SUBSCRIBER_PASSWORD

SELECT format('CREATE ROLE %I', name) FROM (VALUES ('spice_tables'), ('spice_reader'), (:'app')) v (name)
	WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"app" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
-- Privileges keep the application from writing; this gives it a clear message.
ALTER ROLE :"app" SET default_transaction_read_only = on;
GRANT spice_reader TO :"app";

SELECT format('CREATE DATABASE %I', :'database')
	WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
REVOKE ALL ON DATABASE postgres, template1, :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO spice_reader;

\connect :"database"
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
CREATE EXTENSION IF NOT EXISTS pg_cron;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE EXTENSION IF NOT EXISTS spice;
ALTER EXTENSION spice UPDATE;
REVOKE ALL ON pg_stat_statements, pg_stat_statements_info FROM PUBLIC;
REVOKE ALL ON SCHEMA cron FROM PUBLIC;

-- Privileges on the tables and schemas that refreshes create.  The reader has no USAGE on
-- the schema spice_source, so it cannot reach the relations there.
ALTER DEFAULT PRIVILEGES FOR ROLE spice_tables GRANT SELECT ON TABLES TO spice_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE spice_tables GRANT USAGE ON SCHEMAS TO spice_reader;

-- Large objects belong to no schema, so every role could create some.
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;

-- A hub.  A refresh merges into a table of the publication, which sends the changed rows on.
SELECT :'subscriber' <> '' AS is_hub \gset
\if :is_hub
SELECT 'CREATE ROLE spice_subscriber' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'spice_subscriber') \gexec
ALTER ROLE spice_subscriber WITH LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'subscriber';
GRANT spice_reader TO spice_subscriber;
SELECT 'CREATE PUBLICATION spice_hub FOR TABLES IN SCHEMA public'
	WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'spice_hub') \gexec
-- A pod that never comes back leaves its slots, whose number is limited.  A sidecar that is
-- away for longer than a day copies its tables again.  The day begins anew at each start.
SELECT cron.schedule('spice_idle_slots', '*/10 * * * *', $$
	SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots
	WHERE slot_name LIKE 'spice\_%' AND NOT active
	AND (wal_status = 'lost' OR inactive_since < pg_catalog.now() - interval '1 day')$$);
\endif
