# Files that no one of this project wrote, as Debian's packages install them, load as they are, or the error says why not.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

# The lines of a file that a pattern does not pass over.
sub lines_of
{
	my ($path, $comment) = @_;

	return grep { !/$comment/ } split /\n/, slurp_file($path);
}

my %files = (
	countries => {
		path => '/usr/share/iso-codes/json/iso_3166-1.json',
		params => { json_pointer => '/3166-1' },
		rows => sub { scalar @{ decode_json(slurp_file($_[0]))->{'3166-1'} } }
	},
	languages => {
		path => '/usr/share/iso-codes/json/iso_639-3.json',
		params => { json_pointer => '/639-3' },
		rows => sub { scalar @{ decode_json(slurp_file($_[0]))->{'639-3'} } }
	},
	releases => {
		path => '/usr/share/distro-info/debian.csv',
		error => qr/a record's number of fields is \d instead of \d\nDETAIL:  Dataset "releases", record \d+, line \d+/
	},
	suffixes => {
		path => '/usr/share/publicsuffix/public_suffix_list.dat',
		params => { file_format => 'csv', csv_has_header => 'false', csv_comment => '/' },
		# of a single column a blank line is a NULL, between the first record and the last
		rows => sub {
			my @lines = lines_of($_[0], qr{^/});

			shift @lines while $lines[0] eq '';
			pop @lines while $lines[-1] eq '';
			return scalar @lines;
		}
	},
	territories => {
		path => '/usr/share/zoneinfo/iso3166.tab',
		params => { file_format => 'tsv', tsv_has_header => 'false', csv_comment => '#' },
		rows => sub { scalar(lines_of($_[0], qr/^#/)) }
	},
	characters => {
		path => '/usr/share/unicode/UnicodeData.txt',
		params => { file_format => 'csv', csv_delimiter => ';', csv_has_header => 'false' },
		rows => sub { scalar(lines_of($_[0], qr/^$/)) }
	},
	vendors => {
		path => '/usr/share/hwdata/pnp.ids',
		params => { file_format => 'tsv', tsv_has_header => 'false', tsv_quote => '' },
		rows => sub { scalar(lines_of($_[0], qr/^$/)) }
	},
	zones => {
		path => '/usr/share/zoneinfo/zone.tab',
		params => { file_format => 'tsv', tsv_has_header => 'false', csv_comment => '#' },
		error => qr/a record's number of fields is \d instead of \d\nDETAIL:  Dataset "zones", record \d+, line \d+/
	});
my @present = grep { -f $files{$_}{path} } sort keys %files;
my $node = Spice::init_node('real_files', []);

Spice::write_manifest($node, Spice::manifest(
	[ map { Spice::dataset($_, "file:$files{$_}{path}", params => $files{$_}{params} // {}) } @present ]));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
$node->safe_psql('postgres', 'SELECT spice_reload()');

foreach my $name (sort keys %files)
{
	my $file = $files{$name};

	SKIP:
	{
		skip "$file->{path} is not installed", $file->{error} ? 1 : 2 unless -f $file->{path};
		my ($status, $rows, $error) = $node->psql('postgres', "SELECT spice_refresh('$name')");

		if ($file->{error})
		{
			like($error, $file->{error}, "$file->{path} does not load, and the error says why");
			next;
		}
		is($error, '', "$file->{path} loads");
		is($rows, $file->{rows}->($file->{path}), 'with a row for each of its records');
	}
}

$node->stop;
done_testing();
