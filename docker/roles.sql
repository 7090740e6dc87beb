-- The database, the roles, and what they may.  Run at every start, before the server
-- can be reached, so everything here can be run again: a new password or a new version
-- of the extension takes effect by a restart.
--
--	postgres		superuser, no password: see pg_hba.conf
--	spice_tables	owns the tables; refresh_sql runs with its rights; no login
--	spice_reader	reads the tables; no login
--	app				the application's login: a member of spice_reader, and nothing else
--	spice_subscriber	of a hub: what sidecars follow its tables as

\getenv app SPICE_APP_USER
\getenv database SPICE_APP_DATABASE
\getenv password SPICE_APP_PASSWORD
\getenv subscriber SPICE_SUBSCRIBER_PASSWORD

SELECT format('CREATE ROLE %I', name) FROM (VALUES ('spice_tables'), ('spice_reader'), (:'app')) v (name)
	WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE :"app" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
-- not a barrier (privileges are), but a clear message
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
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE EXTENSION IF NOT EXISTS spice;
ALTER EXTENSION spice UPDATE;
REVOKE ALL ON pg_stat_statements, pg_stat_statements_info FROM PUBLIC;
REVOKE ALL ON SCHEMA cron FROM PUBLIC;

-- Tables to come, and schemas that they bring along.  What this lets the reader select
-- from in the schema spice_source, it cannot reach.
ALTER DEFAULT PRIVILEGES FOR ROLE spice_tables GRANT SELECT ON TABLES TO spice_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE spice_tables GRANT USAGE ON SCHEMAS TO spice_reader;

-- Large objects belong to nobody's schema, so anybody could make some.
REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC;

-- A hub.  What is in the publication is refreshed by changes of rows, which it sends on.
SELECT :'subscriber' <> '' AS is_hub \gset
\if :is_hub
SELECT 'CREATE ROLE spice_subscriber' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'spice_subscriber') \gexec
ALTER ROLE spice_subscriber WITH LOGIN REPLICATION NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'subscriber';
GRANT spice_reader TO spice_subscriber;
SELECT 'CREATE PUBLICATION spice_hub FOR TABLES IN SCHEMA public'
	WHERE NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'spice_hub') \gexec
-- Pods that are gone for ever leave their slots, and there are only so many.  Who comes
-- back later than this copies its tables again.  The time counts anew from each start.
SELECT cron.schedule('spice_idle_slots', '*/10 * * * *', $$
	SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots
	WHERE slot_name LIKE 'spice\_%' AND NOT active
	AND (wal_status = 'lost' OR inactive_since < pg_catalog.now() - interval '1 day')$$);
\endif
