# A disk that is full, while a response is spooled and while rows are loaded, indexed or
# merged: the refresh fails and says so, leaves nothing behind, and is done when there is
# room again.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use File::Path;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $room = $ENV{SPICE_ROOM};

plan skip_all => 'no room with a small disk (test/room)' unless $room;

my $disk = "$room/disk";
my $source = Spice::Source->new;
my %retried = (refresh_check_interval => '1h', engine => 'duckdb', mode => 'file', refresh_retry_max_attempts => 1000);
my $node;

sub value { return $node->safe_psql('postgres', $_[0]); }

# until so many kB of the disk are left
sub fill
{
	my ($left) = @_;
	my $block = 'x' x 16384;
	my $written = 0;
	my $n;

	open my $file, '>', "$disk/filler" or die $!;
	$written += $n while $n = syswrite $file, $block;
	truncate $file, $written - $left * 1024 or die $!;
	close $file;
	return;
}

sub make_room { return unlink "$disk/filler"; }

# all files of the disk that hold something, but the filler; a table's own may grow
sub files
{
	my @found = split /\n/, `find '$disk' -type f -size +0 ! -name filler -printf '%P\n' | sort`;

	return join "\n", grep { !/_(?:fsm|vm)$/ } @found;
}

sub version_of
{
	my ($dataset) = @_;

	return value("SELECT pg_relation_filenode('$dataset') || ' ' || md5(string_agg(ctid || ' ' || xmin || t::text, ',' ORDER BY ctid))"
		  . " || count(*) FROM $dataset t");
}

# fails for want of space, and is done when there is some
sub runs_full
{
	my ($name, $dataset, $left, $pattern, $done) = @_;
	my $before = version_of($dataset);
	my $last = value('SELECT max(id) FROM spice_catalog.refresh_history');

	value('CHECKPOINT');
	my $files = files();
	fill($left);
	value("SELECT spice_refresh('$dataset', wait => false)");
	Spice::wait_for($node, "SELECT count(*) > 1 FROM spice_catalog.refresh_history WHERE id > $last AND outcome = 'failed'",
		"$name: the refresh fails, and its retry");
	like(value("SELECT last_error FROM spice.datasets WHERE dataset = '$dataset'"), $pattern, "$name: the error names the full disk");
	is(version_of($dataset), $before, "$name: the table keeps its rows");
	is(value(q{SELECT string_agg(relname, ', ') FROM pg_class WHERE relname LIKE 'spice_new%'}), '', "$name: no new heap is left");
	value("SELECT spice_pause('$dataset'); CHECKPOINT");
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'spice refresh' AND state <> 'idle'})
	  or die 'the refresh does not end';
	value('CHECKPOINT');
	is(files(), $files, "$name: no file is left");
	make_room();
	value("SELECT spice_resume('$dataset')");
	Spice::wait_for($node, $done, "$name: a retry succeeds once there is room");
	is(value("SELECT status || failures FROM spice.datasets WHERE dataset = '$dataset'"), 'ready0', "$name: the dataset has no error");
	is(value(q{SELECT count(*) FROM spice_catalog.refresh_history WHERE outcome = 'running'}), 0, "$name: history has no running refresh");
	return;
}

sub products
{
	my ($dataset, $count, $seed) = @_;

	$source->set("/$dataset", generate => { kind => 'products', count => $count, seed => $seed });
	return;
}

rmtree("$disk/$_") for qw(spool space);
mkdir "$disk/$_" or die $! for qw(spool space);

# --- while a response is spooled

products('items', 100, 0);
$node = Spice::init_node('spool', [], "shared_preload_libraries = 'spice'", 'spice.fetch_memory = 64kB', 'autovacuum = off');
Spice::write_manifest($node, Spice::manifest([ Spice::dataset('items', $source->url('/items'), %retried) ]));
# where the server has temporary files of sessions, which no setting moves
rmdir $node->data_dir . '/base/pgsql_tmp';
symlink "$disk/spool", $node->data_dir . '/base/pgsql_tmp' or die $!;
$node->start;
value('CREATE EXTENSION spice');
Spice::wait_for($node, 'SELECT spice_ready()', 'a server whose spool is on a small disk starts');
products('items', 20000, 1);
runs_full('spool', 'items', 2000, qr/could not write a fetched response to a temporary file: No space left on device.*Free disk space/,
	'SELECT count(*) = 20000 FROM items');
$node->stop;

# --- while it is loaded

$source->set("/$_", body => [ { id => 1, at => '2025-01-01T00:00:00Z', text => 'x' } ]) for qw(heap indexed news);
my $news = Spice::dataset('news', $source->url('/news'), %retried, refresh_mode => 'append');
$news->{time_column} = 'at';
$node = Spice::new_node('load',
	Spice::manifest([
		Spice::dataset('heap', $source->url('/heap'), %retried),
		Spice::dataset('indexed', $source->url('/indexed'), %retried, indexes => { text => 'enabled' }), $news ]),
	'autovacuum = off');
Spice::wait_for($node, 'SELECT spice_ready()', 'a server whose tables are on a small disk starts');
value("CREATE TABLESPACE small LOCATION '$disk/space'");
value("ALTER TABLE $_ SET TABLESPACE small") for qw(heap news);
value("ALTER INDEX $_ SET TABLESPACE small") for 'indexed_text_idx';

# of different texts, for an index takes equal ones together
my @rows = map { { id => $_, at => sprintf('2025-01-02T00:%02d:%02dZ', $_ / 60 % 60, $_ % 60), text => sprintf('%0200d', $_) } } 1 .. 12000;
$source->set("/$_", body => \@rows) for qw(heap indexed news);
my $full = qr/could not extend file .*No space left on device|could not write .*No space left on device/;
runs_full('load', 'heap', 1000, $full, 'SELECT count(*) = 12000 FROM heap');
runs_full('index', 'indexed', 1000, $full, 'SELECT count(*) = 12000 FROM indexed');
runs_full('news', 'news', 1000, $full, 'SELECT count(*) = 12001 FROM news');

# the news have room, the table has not
$source->set('/news', body => [ map { { %$_, at => $_->{at} =~ s/-02T/-03T/r } } @rows ]);
runs_full('merge', 'news', 5000, $full, 'SELECT count(*) = 24001 FROM news');

value("ALTER TABLE $_ SET TABLESPACE pg_default") for qw(heap news);
value('ALTER INDEX indexed_text_idx SET TABLESPACE pg_default; DROP TABLESPACE small');
unlike(slurp_file($node->logfile), qr/PANIC|was terminated by signal/, 'the server has not crashed');
$node->stop;

done_testing();
