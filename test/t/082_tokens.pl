# A bearer token is in each request and in no message.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use Spice;
use Test::More;

my $source = Spice::Source->new;
my $other = Spice::Source->new;
my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);

$ENV{SPICE_TOKEN} = 'a-token-of-the-test';
$source->set('/items', body => [ { id => 1 } ], bearer => $ENV{SPICE_TOKEN},
	headers => { Link => '<?page=2>; rel="next"' },
	queries => { 'page=2' => { body => [ { id => 2 } ], bearer => $ENV{SPICE_TOKEN} } });
my $node = Spice::new_node('tokens',
	Spice::manifest([
			Spice::dataset('items', $source->url('/items'), %slow,
				params => { http_bearer_token => '${env:TOKEN}', http_headers => 'X-Version: 2' }) ]));

sub value { return $node->safe_psql('postgres', $_[0]); }

Spice::wait_for($node, 'SELECT count(*) = 2 FROM items', 'each page is asked for with the token');
is((join ' ', map { $_->{headers}{'X-Version'} } $source->log('/items')), '2 2', 'beside the other headers');

$source->set('/items', body => [], bearer => 'another');
my $error = Spice::error_of($node, q{SELECT spice_refresh('items')});
like($error, qr/status 401/, 'a source that refuses it');
unlike($error, qr/\Q$ENV{SPICE_TOKEN}\E/, 'the token is not repeated');
is(value('SELECT count(*) FROM items'), 2, 'the table stays');

$node->stop;
done_testing();
