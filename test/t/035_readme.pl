# README.md as a reader follows it: its first manifest loads the rows of a source on loopback
# in the public file's place, and each statement of the session in psql has the printed
# result.  The manifests of the other pages are valid, too.

use strict;
use warnings;

use File::Copy;
use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $readme = slurp_file("$FindBin::RealBin/../../README.md");
my $sample = slurp_file("$FindBin::RealBin/../../docs/earthquakes.csv");
my ($manifest) = $readme =~ /<<'END'\n(version: v1\n.*?)^END$/ms;
my ($public) = $manifest =~ m{from: (\S+)};
my ($origin, $path) = $public =~ m{^(https://[^/]+)(/.*)};

# The result of a statement as psql prints it, without the count of rows.
sub session
{
	my ($node, $statement) = @_;
	my ($output, $errors) = run_command(
		[ 'psql', '--no-psqlrc', '--pset=footer=off', '--dbname', $node->connstr('postgres'), '--command', $statement ]);

	return without_blanks($output . $errors);
}

sub without_blanks
{
	my ($text) = @_;

	$text =~ s/ +$//mg;
	$text =~ s/\n+/\n/g;
	$text =~ s/\n$//;
	return $text;
}

my $source = Spice::Source->new;
$source->set($path, body => $sample, etag => JSON::PP::true);
$manifest =~ s/\Q$origin\E/@{[ $source->url('') ]}/;
my $node = Spice::start_node('main', $manifest);

my @statements = $readme =~ /^app=# (.*)\n((?:(?!app=# |```).*\n)*)/mg;
is(@statements / 2, 6, 'the session has six statements');
while (my ($statement, $result) = splice @statements, 0, 2)
{
	is(session($node, $statement), without_blanks($result), $statement);
}

# The same with the sample as a file beside the manifest, as README.md's sed command writes it.
my ($local) = $readme =~ m{sed -i 's\|from: \.\*\|(from: \S+)\|'};
my $folder = PostgreSQL::Test::Utils::tempdir;
chmod 0755, $folder;
copy("$FindBin::RealBin/../../docs/earthquakes.csv", $folder);
append_to_file("$folder/spicepod.yaml", $manifest =~ s/from: \S+/$local/r);
$node->append_conf('postgresql.conf', "spice.spicepod = '$folder/spicepod.yaml'");
$node->reload;
$node->safe_psql('postgres', 'SELECT spice_reload()');
$node->poll_query_until('postgres', "SELECT source LIKE 'file:%' AND status = 'ready' FROM spice.datasets");
is($node->safe_psql('postgres', 'SELECT source FROM spice.datasets'), $local =~ s/from: //r, 'the local sample is the source');
is($node->safe_psql('postgres', 'SELECT count(*) FROM earthquakes'), 4, 'the local sample has the rows');

# The manifests of README.md, and the entries of datasets in the other pages.
sub is_valid
{
	my ($page, $datasets) = @_;
	my ($name) = $datasets =~ /name: ([\w.-]+)/;

	is($node->safe_psql('postgres',
			"SELECT * FROM spice_validate(\$\$version: v1\nkind: Spicepod\nname: page\n$datasets\$\$)"),
		'', "$page: the manifest of $name is valid");
	return;
}

is_valid('README.md', $_) for $readme =~ /^```yaml\n(datasets:\n.*?)^```$/msg;
for my $page (qw(docs/manifest.md docs/applications.md))
{
	my $text = slurp_file("$FindBin::RealBin/../../$page");

	is_valid($page, "datasets:\n$_") for $text =~ /^```yaml\n( *- from: .*?)^```$/msg;
	is_valid($page, $_) for $text =~ /^```yaml\n(datasets:\n.*?)^```$/msg;
}
$node->stop;
done_testing();
