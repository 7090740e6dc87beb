# A dataset whose source wants a token of OAuth 2.0 gets one, shares it, renews it, and shows it to
# nobody.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $server = Spice::Source->new;
my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);

$ENV{SPICE_SECRET} = 'Xq7 u/zW+9rT4kPm';
$ENV{SPICE_FIRST} = 'first-refresh-token-of-the-test';

# what the token server gives from now on
sub give
{
	my ($path, $token, %more) = @_;

	$server->set($path, body => { access_token => $token, token_type => 'Bearer', expires_in => 3600, %more });
	return;
}

# a source of some pages that takes this token
sub want
{
	my ($path, $token, $last, %special) = @_;
	my $page = sub {
		my ($number) = @_;

		return { body => [ { id => $number } ], bearer => $token, %{ $special{$number} // {} },
			headers => $number < $last ? { Link => "<$path?page=" . ($number + 1) . '>; rel="next"' } : {} };
	};

	$source->set($path, %{ $page->(1) }, queries => { map { ("page=$_" => $page->($_)) } 2 .. $last });
	return;
}

give('/token', 'access-token-number-1');
give('/rotating', 'rotating-access-1', refresh_token => 'second-refresh-token');
want("/$_", 'access-token-number-1', 2) for qw(one two);
want('/rotating', 'rotating-access-1', 1);
my %client = (auth_token_url => $server->url('/token'), auth_grant_type => 'client_credentials', auth_scopes => 'read all',
	http_auth_client_id => 'me', http_auth_client_secret => '${env:SECRET}');
my %rotating = (auth_token_url => $server->url('/rotating'), http_auth_refresh_token => '${env:FIRST}',
	http_auth_client_id => 'me');
my $node = Spice::new_node('oauth',
	Spice::manifest([
			(map { Spice::dataset($_, $source->url("/$_"), %slow, params => { %client }) } qw(one two)),
			Spice::dataset('rotating', $source->url('/rotating'), %slow, params => { %rotating }) ]));
sub value { return $node->safe_psql('postgres', $_[0]); }
sub forms { return map { $_->{sent} } $server->log($_[0]); }

Spice::wait_for($node, 'SELECT spice_ready()', 'all are loaded')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));
is(value('SELECT count(*) FROM one') . value('SELECT count(*) FROM two'), '22', 'with all of their pages');
is(join('|', forms('/token')), 'grant_type=client_credentials&scope=read%20all', 'one token serves both datasets');
is(($server->log('/token'))[0]{user}, 'me', 'the client says who it is by Basic');
is((forms('/rotating'))[0], "grant_type=refresh_token&refresh_token=$ENV{SPICE_FIRST}&client_id=me",
	'a public client says it in the form');

# renewal
give('/token', 'access-token-number-2');
want('/one', 'access-token-number-2', 8, 1 => { bearer => 'access-token-number-1' }, map { ($_ => { bearer => 'access-token-number-1' }) } 2 .. 6);
value(q{SELECT spice_refresh('one')});
is(value('SELECT count(*) FROM one'), 8, 'a token that ends at page 7 is replaced there');
is(scalar(forms('/token')), 2, 'by one request');
is(scalar($source->log('/one')) , 2 + 9, 'and the pages before are not asked for again');
want('/one', 'another', 1);
my $error = Spice::error_of($node, q{SELECT spice_refresh('one')});
like($error, qr/source answered with status 401/, 'a source that refuses new tokens, too');
unlike($error, qr/access-token/, 'the message has no token');

# rotation
want('/rotating', 'rotating-access-2', 1);
give('/rotating', 'rotating-access-2', refresh_token => 'third-refresh-token');
value(q{SELECT spice_refresh('rotating')});
is((forms('/rotating'))[1], 'grant_type=refresh_token&refresh_token=second-refresh-token&client_id=me',
	'a refresh token that has been replaced is not used again');
my @files = glob $node->data_dir . '/pg_stat_tmp/spice_*.token';
is(scalar(@files), 1, 'the newest one is in a file');
is(sprintf('%o', (stat $files[0])[2] & 07777), '600', 'which its owner alone may read');
$node->restart;
want('/rotating', 'rotating-access-3', 1);
give('/rotating', 'rotating-access-3', refresh_token => 'fourth-refresh-token');
Spice::wait_for($node, 'SELECT spice_ready()', 'after a restart');
value(q{SELECT spice_refresh('rotating')});
is((forms('/rotating'))[2], 'grant_type=refresh_token&refresh_token=third-refresh-token&client_id=me', 'it survives a restart');

# refusals
$server->set('/token', status => 401, body => { error => 'invalid_client', error_description => "not $ENV{SPICE_SECRET}" });
$error = Spice::error_of($node, q{SELECT spice_refresh('two')});
like($error, qr/token server answered with status 401.*invalid_client.*Check http_auth_client_id/s, 'a token server that refuses');
unlike($error, qr/Xq7|9rT4kPm/, 'the message has no secret');
is(value('SELECT count(*) FROM two'), 2, 'and the table stays');
$server->set('/token', body => { token_type => 'Bearer' });
like(Spice::error_of($node, q{SELECT spice_refresh('two')}), qr/token server sent no token.*has no access_token/s, 'an answer without a token');
my $dump = value(q{SELECT string_agg(definition::text, '') FROM spice_catalog.dataset});
unlike($dump . slurp_file($node->logfile), qr/9rT4kPm|-refresh-token|access-token/, 'no secret is in the catalog or the log');

# the manifest
sub problems
{
	my ($params) = @_;

	return value(sprintf 'SELECT string_agg(severity || $$ $$ || message, $$; $$ ORDER BY message) FROM spice_validate($m$%s$m$)',
		Spice::manifest([ Spice::dataset('d', $source->url('/d'), %slow, params => $params) ]));
}
like(problems({ %client, http_bearer_token => '${env:X}' }), qr/error auth_token_url contradicts http_bearer_token/, 'one kind of token');
like(problems({ %client, auth_token_url => 'http://example.org/token' }), qr/error auth_token_url is neither https/, 'no secret goes without TLS');
like(problems({ auth_token_url => 'https://example.org/t' }), qr/error auth_grant_type refresh_token needs http_auth_refresh_token/, 'what a grant needs');
like(problems({ auth_scopes => 'x' }), qr/error auth_scopes needs auth_token_url/, 'and what has no meaning alone');

$node->stop;
done_testing();
