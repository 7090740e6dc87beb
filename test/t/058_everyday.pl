# Data that people have every day loads, or the error says what to write.
#
# Each file of test/everyday/ is a case: what a source answers, what the manifest says, and
# what must come of it.  test/everyday/README.md says how a case is written.  The cases that
# test/everyday/not-yet lists are run as well, and reported as TODO.

use strict;
use warnings;

use Encode;
use FindBin;
use lib $FindBin::RealBin;
use IO::Compress::Gzip;
use MIME::Base64;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $folder = "$FindBin::RealBin/../everyday";
my $results = "$PostgreSQL::Test::Utils::tmp_check/everyday";
my $source = Spice::Source->new;
my $node = Spice::init_node('everyday', [], q{timezone = 'America/New_York'});

# a secret that was made from a file ends with a line break
local $ENV{EVERYDAY_PASSWORD} = "s3cret\n";
local $ENV{EVERYDAY_KEY} = 'k3y&more';
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION spice');

# What psql prints for statements: messages first, then rows.
sub run_sql
{
	my ($sql) = @_;
	my ($status, $rows, $messages) = $node->psql('postgres', "\\pset null NULL\n$sql", on_error_stop => 0);

	$messages =~ s/^psql:<stdin>:\d+: //mg;
	my $text = join "\n", grep { $_ ne '' } $messages, $rows;
	$text =~ s/\Q$source->{base}\E/{source}/g;
	$text =~ s/^\s*\^\n?//mg;
	return $text;
}

sub reload
{
	return run_sql(q{SELECT coalesce(detail, '') FROM spice_reload() WHERE action IN ('error', 'warning') ORDER BY 1});
}

# The answer in a section: lines of lower-case keys and of headers, an empty line, the body.
sub answer_of
{
	my ($text) = @_;
	my %answer = (headers => {});
	my ($head, $body) = $text =~ /^((?:[\w-]+: [^\n]*\n)*)\n?(.*)\z/s;

	$answer{ $_->[0] =~ /^[a-z]/ ? 'keys' : 'headers' }{ $_->[0] } = $_->[1]
	  for map { [ /^([\w-]+): (.*)$/ ] } split /\n/, $head;
	my $keys = delete $answer{keys} // {};
	my $encode = delete $keys->{encode} // '';

	$body =~ s/\{source\}/$source->{base}/g;
	$body =~ s/\\x([0-9a-f]{2})/chr hex $1/ge if delete $keys->{bytes};
	$answer{headers}{$_} =~ s/\{source\}/$source->{base}/g for keys %{ $answer{headers} };
	if ($encode eq 'gzip')
	{
		IO::Compress::Gzip::gzip(\$body, \my $packed, -Minimal => 1);
		$body = $packed;
	}
	elsif ($encode eq 'bzip2' || $encode eq 'xz')
	{
		my $module = $encode eq 'xz' ? 'lzma' : 'bz2';

		Spice::write_file("$results/body", $body);
		$body = qx(python3 -c 'import sys, $module; sys.stdout.buffer.write($module.compress(sys.stdin.buffer.read()))' <'$results/body');
	}
	elsif ($encode ne '')
	{
		$body = encode($encode, decode('UTF-8', $body));
	}
	$keys->{$_} += 0 for grep { $keys->{$_} =~ /^\d+$/ } keys %$keys;
	$keys->{basic} = [ split / /, $keys->{basic} ] if $keys->{basic};
	$keys->{$_} = JSON::PP->new->allow_nonref->decode($keys->{$_}) for grep { $keys->{$_} } qw(raw queries);
	return (%answer, %$keys, body_base64 => encode_base64($body, ''));
}

my %steps = (
	manifest => sub {
		my ($case, undef, $text) = @_;

		$text = "datasets:\n$text" unless $text =~ /^datasets:/m;
		$text =~ s/\{source\}/$source->{base}/g;
		($case->{dataset}) = $text =~ /^    name: "?(\w+)/m;
		Spice::write_manifest($node, "version: v1\nkind: Spicepod\nname: everyday\n$text");
		$case->{manifest} = $text;
		return;
	},
	answer => sub {
		my (undef, $path, $text) = @_;

		$source->set($path, answer_of($text));
		return;
	},
	reload => sub { return reload(); },
	validate => sub {
		my ($case) = @_;

		return run_sql("SELECT line, severity, message FROM spice_validate(\$m\$version: v1\nkind: Spicepod\nname: everyday\n$case->{manifest}\$m\$)");
	},
	refresh => sub {
		my ($case, $dataset) = @_;

		$dataset ||= $case->{dataset};
		reload() unless $case->{reloaded}++;
		return run_sql("SELECT 'rows: ' || spice_refresh('$dataset')");
	},
	columns => sub {
		my ($case) = @_;

		return run_sql("SELECT format('%I %s', attname, format_type(atttypid, atttypmod)) FROM pg_attribute
			WHERE attrelid = to_regclass('$case->{dataset}') AND attnum > 0 AND NOT attisdropped ORDER BY attnum");
	},
	notice => sub {
		my ($case) = @_;

		return run_sql("SELECT coalesce(notice, 'none') FROM spice.refreshes WHERE dataset = '$case->{dataset}' LIMIT 1");
	},
	requests => sub {
		my (undef, $path) = @_;

		return join "\n", map { "$_->{method} $_->{path}" . ($_->{query} ne '' ? "?$_->{query}" : '') } $source->log($path);
	},
	query => sub {
		my (undef, $sql) = @_;

		return run_sql("$sql;");
	});

# The text that a case would have if all that came of it were right.
sub run_case
{
	my ($text) = @_;
	my %case;
	my @parts = split /^== (.*)\n/m, $text;
	my $result = shift @parts;

	$source->clear_log;
	while (my ($step, $body) = splice @parts, 0, 2)
	{
		my ($name, $argument) = split / /, $step, 2;
		my $run = $steps{$name} or die "unknown step: $name";

		$body =~ s/\n\s*\z/\n/;
		$body = '' if $body eq "\n";
		my $outcome = $run->(\%case, $argument // '', $body);
		$outcome = $outcome eq '' ? '' : "$outcome\n" if defined $outcome;
		$result .= "== $step\n" . ($outcome // $body) . "\n";
	}
	return $result =~ s/\n+\z/\n/r;
}

my %not_yet = map { $_ => 1 } grep { /^\w/ } split /\n/, slurp_file("$folder/not-yet");

mkdir $results;
foreach my $path (sort glob "$folder/*.case")
{
	my ($name) = $path =~ m{([^/]+)\.case$};
	my $text = slurp_file($path);
	my ($title) = $text =~ /^(.*)/;
	my $result = eval { run_case($text) } // $@;

	Spice::write_file("$results/$name.case", $result);
  TODO:
	{
		local our $TODO = 'not yet' if $not_yet{$name};

		is($result, $text, "$name: $title");
	}
	fail("$name is no longer in not-yet") if $not_yet{$name} && $result eq $text;
}

$node->stop;
done_testing();
