# MariaDB as a source: types, what it is asked, passwords, and what its wrapper cannot do.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

plan skip_all => 'no MariaDB on this machine' unless -x '/usr/sbin/mariadbd';

my $false = JSON::PP::false;
my $password = join('', map { ('a' .. 'z')[ rand 26 ] } 1 .. 16);
my $maria = Spice::MariaDB->new;

sub node_has
{
	my ($node, $wrapper) = @_;

	return $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = '$wrapper'");
}

$maria->run(qq{
	CREATE DATABASE shop CHARACTER SET utf8mb4;
	CREATE USER reader\@'127.0.0.1' IDENTIFIED BY '$password';
	CREATE USER open\@'127.0.0.1';
	GRANT SELECT ON shop.* TO reader\@'127.0.0.1';
	GRANT SELECT ON shop.* TO open\@'127.0.0.1';
	USE shop;
	CREATE TABLE types (id bigint unsigned PRIMARY KEY COMMENT 'the key', tiny tinyint(1), small smallint unsigned, medium mediumint,
		whole int unsigned, amount decimal(12,3) NOT NULL, single float, `double` double, code char(5), name varchar(20), note longtext,
		choice enum('a','B'), picked set('x','y'), at datetime(6), stamp timestamp(3) NULL, day date, span time, in_year year,
		bytes varbinary(10), photo longblob, truth bit(1)) COMMENT = 'one of each';
	INSERT INTO types VALUES (18446744073709551615, 1, 65535, -5, 4294967295, 123456789.125, 0.1, 0.1, 'ab', 'Gr\xc3\xbc\xc3\x9fe \xf0\x9f\x98\x80',
		repeat('x', 300000), 'B', 'x,y', '2024-02-29 12:00:00.123456', '2024-02-29 12:00:00.123', '1999-12-31', '-838:59:59', 2024,
		x'00ff', repeat('y', 8192), b'1'),
		(2, NULL, NULL, NULL, NULL, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	CREATE TABLE Events (id int PRIMARY KEY, name varchar(20), at datetime);
	INSERT INTO Events SELECT seq, IF(seq % 2, 'Odd', 'even'), '2024-01-01' + INTERVAL seq HOUR FROM seq_1_to_100;
	CREATE TABLE events (other int);
});

my %params = (mysql_host => '127.0.0.1', mysql_tcp_port => $maria->{port}, mysql_user => 'reader',
	mysql_pass => '${secrets:MYSQL_PASS}', mysql_sslmode => 'disabled');

sub from_mysql
{
	my ($name, $relation, %keys) = @_;

	return Spice::dataset($name, "mysql:$relation", params => { %params, %{ delete $keys{params} // {} } },
		refresh_retry_enabled => $false, %keys);
}

my @datasets = (
	from_mysql('types', 'types', params => { mysql_db => 'shop' }, primary_key => 'id'),
	{ %{ from_mysql('events', 'shop."Events"', refresh_mode => 'append', engine => 'duckdb', mode => 'file',
		primary_key => 'id', on_conflict => { id => 'upsert' }, refresh_sql => q{SELECT * FROM events WHERE name <> 'odd'}) },
		time_column => 'at' },
	{ name => 'live', from => 'mysql:shop."Events"', acceleration => { enabled => $false },
		params => { %params{ grep { $_ ne 'mysql_pass' } keys %params }, mysql_user => 'open' } });

my $node = Spice::start_node('main', Spice::manifest(\@datasets), 'log_min_messages = debug2');

sub value { return $node->safe_psql('postgres', $_[0]); }
sub refresh { return value("SELECT spice_refresh('$_[0]')"); }
sub last_error { return value("SELECT last_error FROM spice.datasets WHERE dataset = '$_[0]'"); }

sub change
{
	Spice::write_manifest($node, Spice::manifest([ @_ ]));
	value('SELECT * FROM spice_reload()');
	return;
}

sub error_of
{
	my ($sql) = @_;
	my ($status, $answer, $error) = $node->psql('postgres', $sql);

	isnt($status, 0, "fails: $sql");
	return $error;
}

Spice::write_beside_manifest($node, '.env', "MYSQL_PASS=$password\n");
value('CREATE ROLE app; CREATE EXTENSION spice');
Spice::wait_for($node, q{SELECT bool_and(status = 'error') FROM spice.datasets}, 'a database without mysql_fdw gets an error');
like(last_error('types'), qr/needs the foreign data wrapper mysql_fdw.*postgresql-\d+-mysql-fdw.*CREATE EXTENSION mysql_fdw/,
	'the error\'s hint says what to install');
die "mysql_fdw is not installed: this Debian has no package of it for this server\n"
  unless node_has($node, 'mysql_fdw');
value('CREATE EXTENSION mysql_fdw');

# ------- types
is(refresh('types'), '2', 'a table of the source is loaded');
is(value(q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
	WHERE attrelid = 'types'::regclass AND attnum > 0}),
	'id numeric, tiny smallint, small integer, medium integer, whole bigint, amount numeric(12,3), single real,'
	. ' double double precision, code text, name text, note text, choice text, picked text, at timestamp without time zone,'
	. ' stamp timestamp without time zone, day date, span interval, in_year integer, bytes bytea, photo bytea, truth bit(1)',
	'the table has the columns and types of the source');
is(value(q{SELECT concat_ws('|', id, tiny, small, medium, whole, amount, single, double, code, name, length(note), choice, picked,
	at, stamp, day, span, in_year, bytes, length(photo), truth) FROM types WHERE id > 2}),
	"18446744073709551615|1|65535|-5|4294967295|123456789.125|0.1|0.1|ab|Gr\xc3\xbc\xc3\x9fe \xf0\x9f\x98\x80|300000|B|x,y"
	. '|2024-02-29 12:00:00.123456|2024-02-29 12:00:00.123|1999-12-31|-838:59:59|2024|\x00ff|8192|1', 'every value is that of the source');
is(value(q{SELECT count(*) FROM types t, jsonb_each(to_jsonb(t)) e WHERE t.id = 2 AND e.value <> 'null'}), '2', 'nulls stay nulls');
is(value(q{SELECT obj_description('types'::regclass), col_description('types'::regclass, 1)}), 'one of each|the key', 'comments');

# ------- what the source is asked
value(q{SELECT spice_resume('events'), spice_resume('live')});
Spice::wait_for($node, q{SELECT count(*) = 100 FROM events}, 'the first append loads every row of the table with this very name');
$maria->run(q{USE shop; INSERT INTO Events VALUES (101, 'new', '2024-01-05 05:00:00'), (102, 'odd', '2024-01-05 06:00:00')});
refresh('events');
is(value('SELECT count(*), max(name) FROM events'), '101|new', 'later appends compare times as PostgreSQL does');
like($maria->log, qr/Execute\s+SELECT .* FROM `shop`\.`Events` WHERE .*`at` >= '2024-01-05 04:00:00'/, 'later appends ask the source for new rows only');
unlike($maria->log, qr/Execute\s+SELECT .* FROM `shop`\.`Events` WHERE .*`name`/, 'conditions on a text are evaluated here');
Spice::wait_for($node, q{SELECT status = 'ready' FROM spice.datasets WHERE dataset = 'live'}, 'a dataset without acceleration is registered');
value('GRANT SELECT ON live TO app');
is(value('SET ROLE app; SELECT count(*) FROM live WHERE id <= 3'), '3', 'a role with SELECT reads the source live');

# ------- passwords
is(value(q{SELECT count(*) FROM pg_user_mapping WHERE umoptions::text LIKE '%pass%'}), '0', 'no user mapping has a password');
like(error_of('SELECT * FROM spice_source.types'), qr/Access denied.*using password: NO/, 'only a refresh reads a source that needs a password');
is(refresh('types'), '2', 'a session refreshes the dataset');
like(error_of(q{SELECT spice_refresh('types'); DISCARD ALL; SELECT count(*) FROM spice_source.events}),
	qr/Access denied/, 'a refresh leaves no password in the session\'s environment');
is(value(qq{SELECT message FROM spice_validate('} . Spice::manifest([ { name => 'x', from => 'mysql:a.b', params => \%params } ]) . q{')}),
	'a mysql dataset with mysql_pass cannot be read without acceleration (accelerate the dataset, or use an account without a password)',
	'a dataset with a password and without acceleration is refused');
Spice::write_beside_manifest($node, '.env', "MYSQL_PASS=wrong\n");
like(error_of(q{SELECT spice_refresh('types')}), qr/Access denied for user 'reader'.*HINT:.*mysql_pass/s, 'a wrong password is an error with its cure');
Spice::write_beside_manifest($node, '.env', "MYSQL_PASS=$password\n");

$maria->run(qq{CREATE USER other\@'127.0.0.1' IDENTIFIED BY '$password'; GRANT SELECT ON shop.* TO other\@'127.0.0.1'});
value(qq{CREATE SERVER elsewhere FOREIGN DATA WRAPPER mysql_fdw OPTIONS (host '127.0.0.1', port '$maria->{port}');
	CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (username 'other');
	CREATE FOREIGN TABLE elsewhere (id int) SERVER elsewhere OPTIONS (dbname 'shop', table_name 'Events');
	CREATE FUNCTION elsewhere() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN (SELECT count(*) FROM public.elsewhere); END'});
like(error_of("SELECT spice_refresh('types', 'SELECT * FROM types WHERE $_ > 0')"), qr/Access denied for user 'other'.*using password: NO/,
	'no other server of MySQL is sent the password: ' . $_) for '(SELECT count(*) FROM elsewhere)', 'elsewhere()';
is(refresh('types'), '2', 'the own one is');
value('CREATE ROLE keeper; GRANT CREATE, USAGE ON SCHEMA public TO keeper; ALTER SYSTEM SET spice.role = keeper; SELECT pg_reload_conf()');
Spice::wait_for($node, q{SELECT current_setting('spice.role') = 'keeper'}, 'another role owns the tables');
is(refresh('types'), '2', 'and its refreshes connect with the password, too');
value('ALTER SYSTEM RESET spice.role; SELECT pg_reload_conf()');
Spice::wait_for($node, q{SELECT current_setting('spice.role') = ''}, 'the owner of the extension has them again');

# ------- a blob that comes during a refresh
my $go = PostgreSQL::Test::Utils::tempdir() . '/go';
value("CREATE FUNCTION wait_for_go() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS \$\$
	BEGIN WHILE pg_stat_file('$go', true) IS NULL LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN 1; END \$\$");
my $session = Spice::Session->new($node);
$session->send(q{SELECT spice_refresh('types', 'WITH pause AS MATERIALIZED (SELECT wait_for_go()) SELECT t.* FROM pause, types t')});
Spice::wait_for($node, q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'}, 'a refresh is between its check and its load');
$maria->run(q{USE shop; UPDATE types SET photo = concat(photo, 'x') WHERE id = 2 OR photo IS NOT NULL});
Spice::write_file($go, '');
$session->answer;
like($session->errors, qr/has a blob of more than 8192 bytes/, 'what the wrapper has ended at is found after the load');
$session->quit;
is(value('SELECT count(*) FROM types'), '2', 'and no row is lost');
$maria->run(q{USE shop; UPDATE types SET photo = repeat('y', 8192) WHERE photo IS NOT NULL});

# ------- a source that is wrong
change(@datasets, from_mysql('missing', 'shop.nothing'), from_mysql('bits', 'shop.bits'));
like(error_of(q{SELECT spice_refresh('missing')}), qr/has no relation shop\.nothing/, 'a missing table is an error with its cure');
$maria->run(q{USE shop; UPDATE types SET photo = concat(photo, 'x') WHERE id > 2; CREATE TABLE bits (id int, b bit(8))});
like(error_of(q{SELECT spice_refresh('types')}), qr/has a blob of more than 8192 bytes.*HINT:.*photo/s,
	'a blob that the wrapper would cut is an error');
is(value('SELECT count(*) FROM types'), '2', 'the table keeps its rows beside such a blob');
like(error_of(q{SELECT spice_refresh('bits')}), qr/column "b" has type bit\(8\), which mysql_fdw cannot read/, 'a type that the wrapper cannot read is an error');
$maria->stop;
value(q{SELECT spice_refresh('events', wait => false)});
Spice::wait_for($node, q{SELECT last_error LIKE '%failed to connect to MySQL%mysql_host%' FROM spice.datasets WHERE dataset = 'events'},
	'a source that is away fails the refresh');
is(value('SELECT count(*) FROM events'), '101', 'the table still answers');
$maria->start;
is(refresh('events'), '0', 'the dataset is refreshed when the source is back');

my ($dump, $errors);
$node->run_log([ 'pg_dumpall', '-d', $node->connstr('postgres') ], '>', \$dump, '2>', \$errors);
unlike($dump, qr/\Q$password\E/, 'a dump has no password');
$node->stop;
unlike(slurp_file($node->logfile), qr/\Q$password\E/, 'the log has no password');
$maria->stop;
done_testing();
