# What spice makes of records and what the server's functions for type json (jsonb has
# no -0) make of the same bytes: the same rows, and nothing accepted that the server refuses.
#
# Records are generated, then their bytes are mutated.  SPICE_SEED repeats a run,
# SPICE_MUTANTS makes it longer.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Encode;
use Math::BigFloat;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

use constant ROWS => 2000;

my $mutants = $ENV{SPICE_MUTANTS} // 300;
my $seed = $ENV{SPICE_SEED} // int(rand(1e9));
srand($seed);
diag("SPICE_SEED=$seed repeats these records");

my @columns = (
	[ i => 'bigint' ], [ small => 'smallint' ], [ n => 'numeric(20,4)' ], [ d => 'double precision' ], [ t => 'text' ],
	[ v => 'varchar(40)' ], [ b => 'boolean' ], [ at => 'timestamptz' ], [ day => 'date' ], [ u => 'uuid' ], [ j => 'jsonb' ]);

# --- records as text, so that numbers and escapes are written in every way there is

sub one_of { return $_[ rand @_ ]; }

sub number
{
	return one_of('0', '-0', '1e2', '-1.5E-3', '0.1', int(rand(1e6)), -int(rand(1e9)), '12345.6789', sprintf '%.17g', rand(1e5));
}

sub string
{
	my $text = join '', map { one_of('a' .. 'z', ' ', '\\n', '\\"', '\\\\', '\\/', '\\u00e9', '\\ud83d\\ude00', "\x{e4}", "\x{20ac}", "\x{1f600}", '{', '[', ',') }
	  1 .. one_of(0, 1, 3, 8, 30);

	return qq("$text");
}

sub value
{
	my ($depth) = @_;
	my $kind = $depth > 3 ? rand(4) : rand(6);

	return number() if $kind < 1;
	return string() if $kind < 2;
	return one_of(qw(true false null)) if $kind < 4;
	return '[' . join(one_of(',', ' , '), map { value($depth + 1) } 1 .. rand(4)) . ']' if $kind < 5;
	return '{' . join(one_of(',', ",\n"), map { "\"k$_\"" . one_of(':', ' : ') . value($depth + 1) } 1 .. rand(4)) . '}';
}

my %makers = (
	i => sub { one_of(int(rand(1e9)), -int(rand(1e9)), '9223372036854775807', '-9223372036854775808', 0, '"77"') },
	small => sub { int(rand(65536)) - 32768 },
	n => \&number, d => \&number,
	t => sub { rand() < 0.01 ? '"' . 'long ' x (1 + rand(10_000)) . '"' : string() },
	v => \&string,
	b => sub { one_of(qw(true false)) },
	at => sub { sprintf '"20%02d-%02d-%02dT%02d:%02d:%02d%s%s"', rand(99), 1 + rand(12), 1 + rand(28), rand(24), rand(60), rand(60),
		one_of('', '.5', '.123456', '.999999'), one_of('Z', '+02:00', '-11:30') },
	day => sub { sprintf '"%04d-%02d-%02d"', 1 + rand(9998), 1 + rand(12), 1 + rand(28) },
	u => sub { sprintf '"%08x-%04x-4%03x-a%03x-%012x"', rand(2**32), rand(2**16), rand(2**12), rand(2**12), rand(2**48) },
	j => sub { value(0) });

# now and then a field is null, missing, or out of order
sub record
{
	my @names = map { $_->[0] } @columns;

	@names = sort { rand() <=> 0.5 } @names if rand() < 0.2;
	return '{' . join(one_of(',', ', ', ",\n\t"),
		map { qq("$_") . one_of(':', ': ') . (rand() < 0.1 ? 'null' : $makers{$_}->()) }
		  grep { rand() > 0.1 || $_ eq 'i' } @names) . '}';
}

sub records { return encode('UTF-8', '[' . join(one_of(',', ",\n"), map { record() } 1 .. $_[0]) . ']'); }

# --- the two ways

my $source = Spice::Source->new;
my $dataset = Spice::dataset('ours', $source->url('/ours'), refresh_retry_enabled => JSON::PP::false);
$dataset->{columns} = [ map { { name => $_->[0], type => $_->[1] } } @columns ];

sub answer
{
	my ($bytes) = @_;

	$source->set('/ours', body_base64 => encode_base64($bytes, ''));
	return;
}

answer(records(3));
my $node = Spice::new_node('differential', Spice::manifest([$dataset]), q{spice.fetch_memory = '64kB'}, 'log_statement = none');
Spice::wait_for($node, 'SELECT spice_ready()', 'loaded');
my $session = Spice::Session->new($node);
my $list = join ', ', map { $_->[0] } @columns;
my $type = join ', ', map { "$_->[0] $_->[1]" } @columns;
$session->query("CREATE TYPE theirs AS ($type)");

# rows as one text, or why there are none
$session->query(qq{CREATE FUNCTION theirs(bytes text) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE body json; result text;
	BEGIN
		body := convert_from(decode(bytes, 'base64'), 'UTF8')::json;
		SELECT string_agg(r::text, chr(10) ORDER BY nr) INTO result
		FROM json_array_elements(body) WITH ORDINALITY e(value, nr), json_populate_record(NULL::theirs, e.value) r;
		RETURN coalesce('rows' || chr(10) || result, 'rows');
	EXCEPTION WHEN OTHERS THEN RETURN 'refused: ' || SQLERRM;
	END \$\$});
$session->query(qq{CREATE FUNCTION ours() RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE result text;
	BEGIN
		PERFORM spice_refresh('ours', 'SELECT * FROM ours');
		SELECT string_agg(r::text, chr(10) ORDER BY o.ctid) INTO result FROM public.ours o, LATERAL (SELECT ROW($list)::theirs AS r) l;
		RETURN coalesce('rows' || chr(10) || result, 'rows');
	EXCEPTION WHEN OTHERS THEN RETURN 'refused: ' || SQLERRM;
	END \$\$});

sub ours { answer($_[0]); return $session->query('SELECT ours()'); }
sub theirs { return $session->query(q{SELECT theirs('} . encode_base64($_[0], '') . q{')}); }

# --- records as they are

foreach my $count (1, 7, ROWS)
{
	my $bytes = records($count);
	my ($ours, $theirs) = (ours($bytes), theirs($bytes));

	like($theirs, qr/^rows\n/, "$count records: the server accepts the values");
	ok($ours eq $theirs, "$count records: the rows are the same") or diag(first_difference($ours, $theirs));
}

sub first_difference
{
	my @a = split /\n/, $_[0];
	my @b = split /\n/, $_[1];

	for my $i (0 .. $#b)
	{
		return "row $i\nours:   " . ($a[$i] // 'none') . "\ntheirs: $b[$i]" if ($a[$i] // '') ne $b[$i];
	}
	return 'more rows';
}

# --- mutants

sub mutate
{
	my ($bytes) = @_;

	for (1 .. one_of(1, 1, 1, 2, 4))
	{
		my $at = int(rand(length $bytes));
		my $kind = int(rand(5));

		substr($bytes, $at, 1) = chr(rand(256)) if $kind == 0;
		substr($bytes, $at, 1) = '' if $kind == 1;
		substr($bytes, $at, 0) = one_of('"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', ' ', "\n", "\t", "\0", 'null', '\\u0000', '\\ud800') if $kind == 2;
		substr($bytes, $at) = '' if $kind == 3 && rand() < 0.3;
		substr($bytes, $at, 0) = substr($bytes, rand(length $bytes), rand(10)) if $kind == 4;
	}
	return $bytes;
}

# where spice is stricter than the server's functions, on purpose
my $stricter = qr/does not fit column|none of the columns|twice|duplicate|half of a surrogate|is not a|starts with|invalid response/;
my $half_surrogate = qr/\\ud[89ab]..(?!\\ud[c-f]..)|(?<!\\ud[89ab]..)\\ud[c-f]../i;
my (@wrong, @other, %count);
foreach my $n (1 .. $mutants)
{
	my $bytes = mutate(records(2));
	my ($ours, $theirs) = (ours($bytes), theirs($bytes));
	my $both = ($ours =~ /^rows/ ? 'taken' : 'refused') . ' by us, ' . ($theirs =~ /^rows/ ? 'taken' : 'refused') . ' by the server';

	$count{$both}++;
	next if $ours eq $theirs;
	# a whole number that is written with a point or an exponent is one for us
	next if $theirs =~ /invalid input syntax for type \w+: "(-?[0-9.eE+-]+)"/ && Math::BigFloat->new($1)->is_int;
	# the name of a field that is no column is not looked into
	next if $theirs !~ /^rows/ && $bytes =~ /\\u0000|$half_surrogate/;
	push @wrong, [ $bytes, $ours, $theirs ] if $ours =~ /^rows/;
	push @other, [ $bytes, $ours, $theirs ] if $ours !~ /^rows/ && $theirs =~ /^rows/ && $ours !~ $stricter;
}
diag("$_: $count{$_}") for sort keys %count;
is(scalar @wrong, 0, 'spice accepts no value that the server refuses or reads differently') or diag(explain([ @wrong[ 0 .. ($#wrong > 4 ? 4 : $#wrong) ] ]));
is(scalar @other, 0, 'spice refuses no value without a reason') or diag(explain([ @other[ 0 .. ($#other > 4 ? 4 : $#other) ] ]));
ok($count{"$_ by us, $_ by the server"}, "there were mutants that both have $_") for qw(taken refused);

$session->quit;
$node->stop;
done_testing();
