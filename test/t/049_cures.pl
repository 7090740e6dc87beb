# Every error of a refresh has a cure that works: each row of the table is a manifest that fails, what the
# error says, and the manifest with the cure applied, which loads.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $node = Spice::init_node('cures', []);

$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spice');

# what the source answers: headers, body, further keys of test/server.py
sub answer
{
	my ($type, $body, %more) = @_;

	return { headers => { 'Content-Type' => $type }, body_base64 => MIME::Base64::encode_base64($body, ''), %more };
}

my ($json, $csv) = ('application/json', 'text/csv');
my @append = (refresh_mode => 'append');

# name, answer, keys that fail, the error with its hint, keys that load
my @table = (
	[ 'wrapped records', answer($json, '{"data": {"items": [{"id": 1}]}}'), { params => { json_pointer => '/items' } },
		qr/json_pointer: the document has no key "items", only "data".*HINT:  Set params.json_pointer/s, { params => { json_pointer => '/data/items' } } ],
	[ 'no array today', answer($json, '{"total": 0}'), { params => { json_pointer => '/items' }, columns => [ { name => 'id', type => 'bigint' } ] },
		qr/HINT:  .*params.json_empty to no_rows/s, { params => { json_pointer => '/items', json_empty => 'no_rows' }, columns => [ { name => 'id', type => 'bigint' } ] } ],
	[ 'CSV read as JSON', answer($csv, "id,v\n1,a\n"), { params => { file_format => 'json' } },
		qr/expected a value, found: id,v.*HINT:  .*file_format: csv/s, { params => { file_format => 'csv' } } ],
	[ 'JSON read as CSV', answer($json, '[{"id": 1}, {"id": 2, "v": [3]}]'), { params => { file_format => 'csv' } },
		qr/HINT:  .*file_format: json/s, { params => { file_format => 'json' } } ],
	[ 'another delimiter', answer($csv, "id;v\n1;a\n"), {}, qr/HINT:  Write csv_delimiter: ";"/, { params => { csv_delimiter => ';' } } ],
	[ 'a preamble', answer($csv, "Report of today\nid,v\n1,a\n"), {},
		qr/number of fields is 2 instead of 1.*HINT:  .*csv_skip_lines/s, { params => { csv_skip_lines => 1 } } ],
	[ 'a quote that is none', answer($csv, "id,v\n1,\"a\" inch\n2,b\n"), {},
		qr/HINT:  .*csv_quote: ""/s, { params => { csv_quote => '' } } ],
	[ 'another encoding', answer($csv, "id,v\n1,caf\xe9\n"), {},
		qr/invalid UTF-8.*HINT:  .*encoding/s, { params => { encoding => 'WINDOWS-1252' } } ],
	[ 'JSON in another encoding', answer($json, qq([{"v": "caf\xe9"}])), {},
		qr/invalid UTF-8.*HINT:  .*encoding/s, { params => { encoding => 'ISO-8859-1' } } ],
	[ 'NaN', answer($json, '[{"v": 1.5}, {"v": NaN}]'), {}, qr/HINT:  .*params.json_nan to null or float/s, { params => { json_nan => 'float' } } ],
	[ 'a text without a value', answer($json, '[{"v": "NA"}]'), { columns => [ { name => 'v', type => 'bigint' } ] },
		qr/HINT:  .*null_values/s, { columns => [ { name => 'v', type => 'bigint' } ], params => { null_values => ['NA'] } } ],
	[ 'a decimal comma', answer($csv, "v;w\n1,5;a\n"), { params => { csv_delimiter => ';' }, columns => [ { name => 'v', type => 'numeric' } ] },
		qr/HINT:  .*csv_decimal/s, { params => { csv_delimiter => ';', csv_decimal => ',' }, columns => [ { name => 'v', type => 'numeric' } ] } ],
	[ 'a date of another order', answer($json, '[{"d": "31/12/2024"}]'), { columns => [ { name => 'd', type => 'date' } ] },
		qr/HINT:  .*format: DD\/MM\/YYYY/s, { columns => [ { name => 'd', type => 'date', format => 'DD/MM/YYYY' } ] } ],
	[ 'a zone', answer($json, '[{"t": "2024-01-01T00:00:00Z"}]'), { columns => [ { name => 't', type => 'timestamp' } ] },
		qr/HINT:  Declare timestamptz/, { columns => [ { name => 't', type => 'timestamptz' } ] } ],
	[ 'a fraction', answer($json, '[{"v": 1.5}]'), { columns => [ { name => 'v', type => 'bigint' } ] },
		qr/HINT:  Declare a type that holds it .*numeric/s, { columns => [ { name => 'v', type => 'numeric' } ] } ],
	[ 'a number of many digits', answer($json, '[{"v": 0.12345678901234567890}]'), { columns => [ { name => 'v', type => 'double precision' } ] },
		qr/HINT:  Declare a type that holds it .*numeric/s, { columns => [ { name => 'v', type => 'numeric' } ] } ],
	[ 'a NUL', answer($json, '[{"v": "a\u0000b"}]'), {}, qr/HINT:  Set invalid_value_action to replace or null/, { invalid_value_action => 'replace' } ],
	[ 'half a character', answer($json, '[{"v": {"w": "\ud83d"}}]'), {}, qr/HINT:  Set invalid_value_action to replace or null/, { invalid_value_action => 'null' } ],
	[ 'an object for a text', answer($json, '[{"v": {"w": 1}}]'), { columns => [ { name => 'v', type => 'integer' } ] },
		qr/HINT:  Declare a type that holds it .*jsonb/s, { columns => [ { name => 'v', type => 'jsonb' } ] } ],
	[ 'an error document', answer($json, '{"error": "no"}'), { columns => [ { name => 'id', type => 'bigint' } ] },
		qr/HINT:  Look at what the source answers/, undef ],
	[ 'a type of another system', answer($json, '[{"v": 1}]'), { columns => [ { name => 'v', type => 'number(10,2)' } ] },
		qr/type "number" does not exist.*HINT:  .*numeric/s, { columns => [ { name => 'v', type => 'numeric(10,2)' } ] } ],
	[ 'a password', answer($json, '[{"id": 1}]', basic => [ 'u', 'p' ]), {}, qr/401.*HINT:  Set http_username and http_password/s,
		{ params => { http_username => 'u', http_password => 'p' } } ],
	[ 'a time without a value', answer($json, '[{"id": 1, "at": "2024-01-01"}, {"id": 2}]'), { time_column => 'at', acceleration => { @append } },
		qr/null value in column "at".*HINT:  .*WHERE at IS NOT NULL/s,
		{ time_column => 'at', acceleration => { @append, refresh_sql => 'SELECT * FROM t22 WHERE at IS NOT NULL' } } ],
	[ 'columns of two lengths', answer($json, '{"a": [1, 2], "b": [1]}'), { params => { json_format => 'columns' } },
		qr/HINT:  Declare the columns/, { params => { json_format => 'document' } } ],
	[ 'a compression that is none', answer($csv, "id\n1\n"), { params => { file_compression_type => 'gzip' } },
		qr/HINT:  Take file_compression_type out/, {} ],
	[ 'an empty answer', answer($csv, ''), {}, qr/there is no header.*HINT:  Look at what the source answers/s, undef ],
	[ 'no content', answer($json, '', status => 204), { columns => [ { name => 'id', type => 'bigint' } ] },
		qr/204.*HINT:  .*json_empty to no_rows/s, { columns => [ { name => 'id', type => 'bigint' } ], params => { json_empty => 'no_rows' } } ],
	[ 'a column that is not there', answer($json, '[{"id": 1}]'), { acceleration => { refresh_sql => 'SELECT idd FROM t27' } },
		qr/column "idd" does not exist.*HINT:  Perhaps you meant/s, { acceleration => { refresh_sql => 'SELECT id FROM t27' } } ]);

# The dataset of a row with these keys.
sub dataset
{
	my ($number, $keys) = @_;
	my %keys = %$keys;
	my $acceleration = delete $keys{acceleration} // {};

	return { %{ Spice::dataset("t$number", $source->url("/t$number"), %$acceleration) }, %keys };
}

sub apply
{
	my ($which) = @_;

	Spice::write_manifest($node, Spice::manifest([ map { dataset($_, $table[$_][$which]) } grep { $table[$_][$which] } 0 .. $#table ]));
	$node->safe_psql('postgres', 'SELECT spice_reload()');
	return;
}

$source->set("/t$_", %{ $table[$_][1] }) for 0 .. $#table;
apply(2);
foreach my $number (0 .. $#table)
{
	my (undef, undef, $error) = $node->psql('postgres', "SELECT spice_refresh('t$number')");

	like($error, $table[$number][3], "$table[$number][0]: the error says what to do");
	like($error, qr/t$number/, 'and names the dataset');
}
apply(4);
foreach my $number (grep { $table[$_][4] } 0 .. $#table)
{
	my (undef, $rows, $error) = $node->psql('postgres', "SELECT spice_refresh('t$number') >= 0");

	is($error . ($rows // ''), 't', "$table[$number][0]: which works");
}

$node->stop;
done_testing();
