# A request has the method, query, body and headers that the manifest says, with secrets where
# they belong and in no message.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $other = Spice::Source->new;
my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);

$ENV{SPICE_KEY} = 'k3y&of "the" test';
my $encoded = 'k3y%26of%20%22the%22%20test';
$source->set("/$_", body => [ { id => 1, at => '2026-01-02T03:04:05Z' } ]) for qw(query plain body form headers news moved);
$source->set('/pages', body => [ { id => 1 } ], headers => { Link => '</pages?page=2>; rel="next"' },
	queries => { "page=2&appid=$encoded" => { body => [ { id => 2 } ] } });

my $node = Spice::new_node('requests',
	Spice::manifest([
			Spice::dataset('query', $source->url('/query') . '?status=old&b=1', %slow,
				params => { http_query => { status => 'a b', appid => '${env:KEY}', tag => [ 'x', 'y' ] } }),
			Spice::dataset('plain', $source->url('/plain'), %slow, params => { http_query => 'key=pl4inkey&n=1' }),
			Spice::dataset('pages', $source->url('/pages'), %slow, params => { http_query => 'appid=${env:KEY}&n=1' }),
			Spice::dataset('body', $source->url('/body'), %slow, params => { http_body => '{"key": "${env:KEY}", "n": 1}' }),
			Spice::dataset('form', $source->url('/form'), %slow,
				params => { http_body => 'key=${env:KEY}&n=1', http_method => 'post' }),
			Spice::dataset('moved', $source->url('/moved'), %slow, params => { http_body => '{}' }),
			Spice::dataset('headers', $source->url('/headers'), %slow,
				params => { http_headers => { 'X-One' => 'a, B: c', 'X-Two' => '${env:KEY}' } }),
			{
				%{ Spice::dataset('news', $source->url('/news') . '?since={watermark}&k=1', %slow, refresh_mode => 'append',
						params => { http_body => '{"from": "{watermark}", "to": "{now}"}',
							http_query => { after => '{watermark}' } }) },
				time_column => 'at'
			} ]));

sub value { return $node->safe_psql('postgres', $_[0]); }
sub newest { return ($source->log($_[0]))[-1]; }

Spice::wait_for($node, 'SELECT spice_ready()', 'all are loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));

is(newest('/query')->{query}, "b=1&appid=$encoded&status=a%20b&tag=x&tag=y",
	'a mapping is encoded, replaces the keys of from, and lists repeat a key');
is(newest('/query')->{method}, 'GET', 'by GET');
is(value(q{SELECT count(*) FROM pages}), 2, 'a page that the source names has the key, too');
is(newest('/body')->{method}, 'POST', 'what has a body goes by POST');
is(newest('/body')->{sent}, '{"key": "k3y&of \"the\" test", "n": 1}', 'a secret in JSON is escaped');
is(newest('/body')->{headers}{'Content-Type'}, 'application/json', 'and the type says JSON');
is(newest('/form')->{sent}, "key=$encoded&n=1", 'a secret in a form is encoded');
is(newest('/form')->{headers}{'Content-Type'}, 'application/x-www-form-urlencoded', 'and the type says so');
is(newest('/headers')->{headers}{'X-One'}, 'a, B: c', 'a mapping of headers takes values as they are');
is(newest('/headers')->{headers}{'X-Two'}, $ENV{SPICE_KEY}, 'and secrets');

is(newest('/news')->{query}, 'k=1', 'pairs with a watermark are left out before there is one');
like(newest('/news')->{sent}, qr/^\{"from": "1970-01-01T00:00:00Z", "to": "20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"\}$/,
	'and a body asks from the beginning until now');
value(q{SELECT spice_refresh('news')});
is(newest('/news')->{query}, 'since=2026-01-02T03%3A04%3A05.000000Z&k=1&after=2026-01-02T03%3A04%3A05.000000Z',
	'then the query has the watermark');
like(newest('/news')->{sent}, qr/"from": "2026-01-02T03:04:05.000000Z"/, 'as has the body');

# a source that repeats what it was asked
for my $dataset (qw(query plain body form headers))
{
	$source->set("/$dataset", status => 400, body => qq{asked with $ENV{SPICE_KEY} ($encoded) and pl4inkey});
	my $error = Spice::error_of($node, "SELECT spice_refresh('$dataset')");
	like($error, qr/status 400/, "$dataset: the request fails");
	unlike($error, $dataset eq 'plain' ? qr/pl4in/ : qr/k3y/, "$dataset: the message has no key");
}

# redirects
$source->set('/moved', redirect => '/target', status => 307);
$source->set('/target', body => [ { id => 5 } ]);
value(q{SELECT spice_refresh('moved')});
is(newest('/target')->{method} . newest('/target')->{sent}, 'POST{}', 'a redirect with status 307 keeps method and body');
$source->set('/moved', redirect => '/target', status => 303);
value(q{SELECT spice_refresh('moved')});
is(newest('/target')->{method} . newest('/target')->{sent}, 'GET', 'one with status 303 leads to a GET');
$source->set('/moved', redirect => $other->url('/target'), status => 307);
like(Spice::error_of($node, q{SELECT spice_refresh('moved')}), qr/a POST does not follow to another origin/,
	'a body does not go to another origin');
is(scalar($other->log), 0, 'which is not asked');

# the manifest
sub problems
{
	my ($params, %keys) = @_;

	return value(sprintf 'SELECT string_agg(severity || $$ $$ || message, $$; $$ ORDER BY message) FROM spice_validate($m$%s$m$)',
		Spice::manifest([ Spice::dataset('d', $source->url('/d') . ($keys{query} // ''), %slow, params => $params) ]));
}
like(problems({ http_query => { token => 'abcdefgh' } }), qr/^warning "token" in http_query stands in the manifest for everyone to read/,
	'a key in plain text');
like(problems({}, query => '?apikey=abcdefgh&key=id'), qr/^warning "apikey" in from stands in the manifest for everyone to read/, 'also in from');
like(problems({ http_body => '{}', http_method => 'GET' }), qr/^error http_body contradicts http_method GET/, 'a GET has no body');
like(problems({ http_query => 'a={watermark}' }), qr/error \{watermark\} in http_query needs refresh_mode append/,
	'a watermark belongs to append');
like(problems({ http_query => 'a=b c' }), qr/error http_query holds a blank/, 'a text is a query');
like(problems({ http_headers => { 'A b' => 1 } }), qr/error "A b" in http_headers is not the name of a header/, 'a name of a header');

$node->stop;
done_testing();
