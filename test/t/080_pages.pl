# A source that answers in pages is loaded whole or not at all, whatever way it names the next
# page: a header Link, a URL or a token in the page, or numbers that the manifest counts.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $other = Spice::Source->new;
my $end = { body => [] };

sub records { return [ map { { id => $_, name => "record $_" } } @_ ]; }
sub value { return our $node->safe_psql('postgres', $_[0]); }

# the answer of a path that has several pages, by query
sub pages
{
	my ($path, $first, %others) = @_;

	$source->set($path, %$first, queries => \%others);
	return;
}

sub linked
{
	my ($records, $target) = @_;

	return { body => $records, headers => { Link => qq{<$target>; rel="next", <$target>; rel="last"} } };
}

my %params = (
	# GitHub, Shopify
	link => {},
	# Salesforce: a path in the body
	path => { json_pointer => '/records', pagination_next_pointer => '/nextRecordsUrl' },
	# OData: a URL in the body, null at the last page
	odata => { pagination_data_pointer => '/value', pagination_next_pointer => '/@odata.nextLink' },
	# Stripe: the last record's id
	cursor => { json_pointer => '/data', pagination_next_pointer => '/data/-/id', pagination_token_param => 'starting_after' },
	# Elasticsearch, Slack: a token
	token => { json_pointer => '/hits', pagination_next_pointer => '/meta~1x/next', pagination_token_param => 'after' },
	# SoQL
	soql => { pagination_query_params => '$offset={offset}&$limit={limit}', pagination_page_size => '3' },
	number => { pagination_query_params => 'page={page}&per={limit}', pagination_page_size => 3 },
	denied => { pagination_query_params => 'page={page}', pagination_page_size => 3 },
	csv => {},
	lines => { file_format => 'jsonl' });

pages('/link', linked(records(1 .. 3), '/link?page=2'),
	'page=2' => linked(records(4 .. 6), $source->url('/link') . '?page=3'),
	'page=3' => { body => records(7) });
pages('/path', { body => { done => \0, nextRecordsUrl => '/path?q=2', records => records(1 .. 3) } },
	'q=2' => { body => { records => [], nextRecordsUrl => '/path?q=3' } },
	'q=3' => { body => { records => records(4 .. 7), done => \1 } });
pages('/odata', { body => { '@odata.nextLink' => $source->url('/odata') . '?$skip=3', value => records(1 .. 3) } },
	'$skip=3' => { body => { value => records(4 .. 7), '@odata.nextLink' => undef } });
pages('/cursor', { body => { data => records(1 .. 3), has_more => \1 } },
	'starting_after=3' => { body => { data => records(4 .. 7), has_more => \0 } },
	'starting_after=7' => { body => { data => [], has_more => \0 } });
pages('/token', { body => { hits => records(1 .. 3), 'meta/x' => { next => "a b/\x{fc}=" } } },
	'after=a%20b%2F%C3%BC%3D' => { body => { hits => records(4 .. 7), 'meta/x' => { next => '' } } });
pages('/soql', { status => 500 },
	'select=x&$offset=0&$limit=3' => { body => records(1 .. 3) },
	'select=x&$offset=3&$limit=3' => { body => records(4 .. 6) },
	'select=x&$offset=6&$limit=3' => { body => records(7) },
	'select=x&$offset=9&$limit=3' => $end);
pages('/number', { status => 500 },
	'page=1&per=3' => { body => records(1 .. 3) },
	'page=2&per=3' => { body => records(4 .. 6) },
	'page=3&per=3' => { body => records(7) },
	'page=4&per=3' => $end);
pages('/denied', { status => 404 },
	'page=0' => { body => records(1 .. 3) },
	'page=1' => { body => records(4 .. 6) },
	'page=2' => { body => records(7) });
pages('/csv', { body => "id,name\n1,a\n2,b\n3,c\n", headers => { Link => '</csv?p=2>; rel=next', 'Content-Type' => 'text/csv' } },
	'p=2' => { body => "id,name\n4,d\n5,e\n6,f\n7,g\n", headers => { 'Content-Type' => 'text/csv' } });
pages('/lines', { body => "{\"id\":1}\n{\"id\":2}\n{\"id\":3}", headers => { Link => '<?p=2>; rel=next' } },
	'p=2' => { body => "{\"id\":4}\n{\"id\":5}\n{\"id\":6}\n{\"id\":7}\n" });

my %rest = (soql => '?select=x', number => '?page=1');
my @datasets = map {
	Spice::dataset($_, $source->url("/$_") . ($rest{$_} // ''), refresh_check_interval => '1h',
		refresh_retry_enabled => JSON::PP::false,
		params => { %{ $params{$_} }, $_ eq 'csv' ? (file_format => 'csv') : () })
} sort keys %params;
our $node = Spice::new_node('pages', Spice::manifest(\@datasets));
Spice::wait_for($node, 'SELECT spice_ready()', 'all are loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));

is(value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM $_"), '1 2 3 4 5 6 7', "$_: the records of all pages")
  for sort keys %params;

sub refresh_error
{
	my ($dataset) = @_;

	return Spice::error_of($node, "SELECT spice_refresh('$dataset')");
}

sub outcome
{
	my ($dataset) = @_;

	value("SELECT spice_refresh('$dataset')");
	return value("SELECT outcome FROM spice.refreshes WHERE dataset = '$dataset' LIMIT 1");
}

# a refresh fails and the table stays
sub fails
{
	my ($dataset, $pattern, $name) = @_;

	like(refresh_error($dataset), $pattern, $name);
	is(value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM $dataset"), '1 2 3 4 5 6 7', "$name: nothing in part");
	return;
}

# ---- unchanged

is(outcome('link'), 'unchanged', 'the same bytes on all pages');
pages('/link', { %{ linked(records(1 .. 3), '/link?page=2') }, etag => '"1"' },
	'page=2' => { body => records(4 .. 6, 8) });
is(outcome('link'), 'loaded', 'another second page');
is(value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM link"), '1 2 3 4 5 6 8', 'its records');
pages('/link', { %{ linked(records(1 .. 3), '/link?page=2') }, etag => '"1"' },
	'page=2' => { body => records(4 .. 7) });
is(outcome('link'), 'loaded', 'the validator of a first page is not used for the rest');

$source->set('/path', body => { records => records(1 .. 7) }, etag => '"p"');
is(outcome('path'), 'loaded', 'one page is a page, too');
$source->clear_log;
is(outcome('path'), 'unchanged', 'of which the digest decides');
is(scalar(grep { $_->{headers}{'If-None-Match'} } $source->log('/path')), 0,
	'where a page names the next one, no validator is sent');

# ---- failures in the middle

pages('/link', linked(records(1 .. 3), '/link?page=2'),
	'page=2' => { status => 500, body => 'a fault of its own' });
fails('link', qr/status 500.*page 2, http:.*a fault of its own/s, 'a page that fails');
pages('/link', linked(records(1 .. 3), '/link?page=2'),
	'page=2' => { body => '[{"id": 4}, {"id": 5', headers => { Link => '</link?page=3>; rel=next' } }, 'page=3' => { body => records(7) });
fails('link', qr/page 2 of the response/, 'a page that ends in the middle of a record');
pages('/link', linked(records(1 .. 3), '/link?page=2'),
	'page=2' => linked(records(4 .. 6), '/link?page=2'));
fails('link', qr/circle.*page 2, http:/s, 'a page that leads to itself');
pages('/link', linked(records(1 .. 3), '/link?page=2'),
	'page=2' => linked(records(4 .. 6), '/link'));
fails('link', qr/circle/, 'a page that leads to the first one');
pages('/link', linked(records(1 .. 3), $other->url('/link')));
fails('link', qr/another origin.*page 1, http:/s, 'a page at another origin');
is(scalar(my @asked = $other->log), 0, 'which is not asked');
pages('/link', linked(records(1 .. 3), '/link?page=2'),
	'page=2' => { redirect => $other->url('/link') });
$other->set('/link', %{ linked(records(4 .. 6), '/link?page=3') });
fails('link', qr/loopback address is refused/, 'a page that is redirected to another origin');
pages('/cursor', { body => { data => records(1 .. 3) } });
fails('cursor', qr/page 2 repeats the records of page 1/, 'a source that does not know the parameter');
pages('/odata', { body => { '@odata.nextLink' => 7, value => records(1 .. 3) } });
fails('odata', qr/leads to no text/, 'a next page that is a number');
pages('/soql', { status => 500 },
	'select=x&$offset=0&$limit=3' => { body => records(1 .. 2) },
	'select=x&$offset=3&$limit=3' => { body => records(4 .. 5) });
fails('soql', qr/page 1 has 2 records instead of 3/, 'a source that gives less than was asked for');

# ---- the number of pages

sub change
{
	my (%params) = @_;

	Spice::write_manifest($node, Spice::manifest([ Spice::dataset('link', $source->url('/link'),
				refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false, params => \%params) ]));
	value('SELECT count(*) FROM spice_reload()');
	return;
}

pages('/link', linked(records(1 .. 3), '/link?page=2'),
	'page=2' => linked(records(4 .. 6), '/link?page=3'),
	'page=3' => { body => records(7) });
# a change of the manifest begins a refresh of its own: what the table has counts, not which of the two brought it
change(pagination_max_pages => '2');
fails('link', qr/more than 2 pages.*HINT:  Raise pagination_max_pages/s, 'pagination_max_pages');
change(pagination_max_pages => 'nolimit');
value(q{SELECT spice_refresh('link')});
is(value('SELECT count(*) FROM link'), 7, 'nolimit');
change(pagination => 'disabled');
value(q{SELECT spice_refresh('link')});
is(value('SELECT count(*) FROM link'), 3, 'disabled: the first page alone');
change(pagination_link_header => 'disabled');
value(q{SELECT spice_refresh('link')});
is(value('SELECT count(*) FROM link'), 3, 'without the header Link');
change();
value(q{SELECT spice_refresh('link')});
is(value('SELECT count(*) FROM spice_source.link'), 7, 'a source that is read live has all pages');

$node->stop;
done_testing();
