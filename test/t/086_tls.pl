# A source with a certificate of a private authority, which wants a certificate of its clients.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Utils;
use Spice;
use Test::More;

plan skip_all => 'no nginx on this machine' unless -x '/usr/sbin/nginx';

my %slow = (refresh_check_interval => '1h', refresh_retry_enabled => JSON::PP::false);
my $source = Spice::Source->new;
my $nginx = Spice::Nginx->new;
my $certificates = Spice::Certificates->new;
my $folder = $certificates->{folder};
my $secure = "https://localhost:$nginx->{port}";

$certificates->authority($_) for qw(private clients);
$certificates->certificate('server', 'private', 'localhost', -1, 1);
$certificates->certificate('me', 'clients', 'spice.test', -1, 1);
$certificates->certificate('other', 'private', 'spice.test', -1, 1);
$nginx->start("ssl_certificate $folder/server.cert; ssl_certificate_key $folder/server.key;"
	  . " ssl_client_certificate $folder/clients/cert; ssl_verify_client on;"
	  . " location / { proxy_pass $source->{base}; proxy_set_header X-Client \$ssl_client_s_dn; }", 'ssl');
$source->set("/$_", body => [ { id => 1 } ]) for qw(files texts moved);

my %files = (http_tls_ca_file => "$folder/private/cert", http_tls_client_certificate_file => "$folder/me.cert",
	http_tls_client_key_file => "$folder/me.key");
$ENV{SPICE_CLIENT_KEY} = slurp_file("$folder/me.key");
my $node = Spice::start_node('tls',
	Spice::manifest([
			Spice::dataset('files', "$secure/files", %slow, params => \%files),
			Spice::dataset('texts', "$secure/texts", %slow,
				params => { http_tls_ca => slurp_file("$folder/private/cert"), http_tls_client_certificate => slurp_file("$folder/me.cert"),
					http_tls_client_key => '${env:CLIENT_KEY}' }),
			Spice::dataset('untold', "$secure/files", %slow),
			Spice::dataset('unknown', "$secure/files", %slow, params => { http_tls_ca_file => "$folder/private/cert" }),
			Spice::dataset('mixed', "$secure/files", %slow, params => { %files, http_tls_client_key_file => "$folder/other.key" }),
			Spice::dataset('absent', "$secure/files", %slow, params => { %files, http_tls_client_key_file => "$folder/no.key" }) ]));
$node->safe_psql('postgres', 'CREATE EXTENSION spice');
sub value { return $node->safe_psql('postgres', $_[0]); }

Spice::wait_for($node, q{SELECT count(*) = 2 FROM spice.datasets WHERE status = 'ready'}, 'certificates from files and from the manifest')
  or diag(value('SELECT dataset, status, last_error FROM spice.datasets'));
is(($source->log('/texts'))[0]{headers}{'X-Client'}, 'CN=spice.test', 'the source knows the client');
like(Spice::error_of($node, q{SELECT spice_refresh('untold')}), qr/certificate is not trusted.*http_tls_ca|trusted certificates could not be read.*ca-certificates/s,
	'a private authority is not trusted unasked');
like(Spice::error_of($node, q{SELECT spice_refresh('unknown')}), qr/status 400.*No required SSL certificate/s,
	'a client without a certificate');
like(Spice::error_of($node, q{SELECT spice_refresh('mixed')}), qr/certificate of the client could not be used.*belong together/s,
	'a key of another certificate');
like(Spice::error_of($node, q{SELECT spice_refresh('absent')}), qr/could not read http_tls_client_key_file.*No such file/s,
	'a file that is not there');

$node->stop;
done_testing();
