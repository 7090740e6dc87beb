# Files as a source: the launcher notices what changes in a folder, an unchanged list is all
# that an unchanged folder costs, and a refresh never mixes two versions of a file.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $folder = PostgreSQL::Test::Utils::tempdir();
my %slow = (refresh_retry_enabled => JSON::PP::false);
my %csv = (params => { file_format => 'csv' });

mkdir "$folder/watched" or die $!;
Spice::write_file("$folder/watched/a.csv", "id\n1\n");
Spice::write_file("$folder/held.csv", "id\n" . join('', map { "$_\n" } 1 .. 3));

my $watched = Spice::dataset('watched', "file:$folder/watched", %csv);
$watched->{acceleration}{params} = { file_watcher => 'enabled' };
my $node = Spice::new_node('files',
	Spice::manifest([
		$watched,
		Spice::dataset('beside', 'file:beside.csv', %slow),
		Spice::dataset('held', "file:$folder/held.csv", %slow,
			refresh_sql => 'SELECT h.id, pg_advisory_xact_lock_shared(7)::text AS waits FROM held h') ]));

sub value { return $node->safe_psql('postgres', $_[0]); }

# --- a folder that is watched

Spice::wait_for($node, 'SELECT count(*) = 1 FROM watched', 'the launcher loads the files of a folder');
Spice::write_file("$folder/watched/b.csv", "id\n2\n3\n");
Spice::wait_for($node, 'SELECT count(*) = 3 FROM watched', 'it notices a new file');
Spice::write_file("$folder/watched/a.csv", "id\n7\n");
Spice::wait_for($node, q{SELECT array_agg(id ORDER BY id) = '{2,3,7}' FROM watched}, 'and one that has been replaced');
unlink "$folder/watched/b.csv";
Spice::wait_for($node, q{SELECT array_agg(id ORDER BY id) = '{7}' FROM watched}, 'and one that is gone');
Spice::wait_for($node, q{SELECT outcome FROM spice.refreshes WHERE dataset = 'watched' LIMIT 1},
	'a look at an unchanged folder loads nothing', 'unchanged');
unlink "$folder/watched/a.csv";
Spice::wait_for_error($node, 'watched', 'has no file to read', 'a folder without a file is an error');
is(value('SELECT count(*) FROM watched'), 1, 'and the table keeps its rows');

# --- the data directory

Spice::write_beside_manifest($node, 'beside.csv', "id\n1\n");
like(Spice::error_of($node, q{SELECT spice_refresh('beside')}), qr/may not read.*It lies in a directory of the server's own/s,
	'a file in the data directory is refused');

# --- a file that changes while it is read

sub refresh_while
{
	my ($change) = @_;
	my $lock = Spice::Session->new($node);
	my $refresh = Spice::Session->new($node);

	$lock->query('SELECT pg_advisory_lock(7)');
	$refresh->send(q{SELECT spice_refresh('held')});
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted})
	  or die 'no refresh waits';
	$change->();
	$lock->query('SELECT pg_advisory_unlock(7)');
	$refresh->answer;
	my $errors = $refresh->errors;
	$_->quit for $lock, $refresh;
	return $errors;
}

Spice::wait_for($node, 'SELECT count(*) = 3 FROM held', 'a file is loaded');
Spice::write_file("$folder/held.csv", "id\n" . join('', map { "$_\n" } 1 .. 4));
like(
	refresh_while(sub { append_to_file("$folder/held.csv", "5\n") }),
	qr/file ".*held\.csv" changed while it was read/,
	'a file that grows while it is read fails the refresh');
is(value('SELECT count(*) FROM held'), 3, 'and the table keeps its rows');
is( refresh_while(sub { Spice::write_file("$folder/held.csv", "id\n9\n") }),
	'',
	'a file that is replaced by another is read as it was listed');
is(value('SELECT count(*) FROM held'), 5, 'to its end');
value(q{SELECT spice_refresh('held')});
is(value('SELECT array_agg(id) FROM held'), '{9}', 'the next refresh has the other file');

$node->stop;
done_testing();
