
=pod

=head1 NAME

Spice - a preloaded server and a scripted source for the TAP tests

=head1 SYNOPSIS

  use FindBin;
  use lib $FindBin::RealBin;
  use Spice;

  my $source = Spice::Source->new;
  $source->set('/items', body => [ { id => 1 } ]);
  my $node = Spice::new_node('main', <<"EOM");
  version: v1
  kind: Spicepod
  name: test
  datasets:
    - from: @{[ $source->url('/items') ]}
      name: items
  EOM
  Spice::wait_for($node, q{SELECT count(*) = 1 FROM items});

  $source->set('/items', body => [], hold => JSON::PP::true);
  ...
  $source->wait('/items', 'held');
  $node->stop;

=head1 DESCRIPTION

The launcher exists only in a server that preloads the library, and what it does
depends on what a source answers and when.  So these tests start both themselves.
A test waits for states (of a table, of the log, of a request), never for a time.
What paths can be told to answer is written in test/server.py.

=cut

package Spice;

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A started server that preloads spice and works in database postgres, where the
# extension is already created.  Further arguments are lines of postgresql.conf.
sub new_node
{
	my ($name, $manifest, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init;
	$node->append_conf(
		'postgresql.conf', join("\n",
			"shared_preload_libraries = 'spice'",
			"spice.database = 'postgres'",
			"spice.spicepod = 'spicepod.yaml'",
			@settings, ''));
	write_manifest($node, $manifest) if defined $manifest;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION spice');
	return $node;
}

# The manifest appears whole or not at all, as the launcher may read at any time.
sub write_manifest
{
	my ($node, $manifest) = @_;
	my $path = $node->data_dir . '/spicepod.yaml';

	write_file($path, $manifest);
	return $path;
}

# A file beside the manifest, such as .env.
sub write_beside_manifest
{
	my ($node, $name, $content) = @_;

	write_file($node->data_dir . "/$name", $content);
	return;
}

sub write_file
{
	my ($path, $content) = @_;

	open my $file, '>', "$path.new" or die "$path.new: $!";
	print $file $content;
	close $file or die "$path.new: $!";
	rename "$path.new", $path or die "$path: $!";
	return;
}

# Until a query answers true (or what is expected); an assertion of its own.
sub wait_for
{
	my ($node, $query, $name, $expected) = @_;

	return ok($node->poll_query_until('postgres', $query, $expected // 't'),
		$name // $query);
}

package Spice::Source;

use strict;
use warnings;

use File::Basename;
use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Utils;

my $program = dirname(__FILE__) . '/../server.py';

# Starts test/server.py; it ends with this object.
sub new
{
	my ($class) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my $pid_file = "$folder/source.pid";
	my ($port, $errors);

	IPC::Run::run([ 'python3', $program, '--daemon', '--pid-file', $pid_file ],
		'>', \$port, '2>', \$errors)
	  or die "could not start $program: $errors";
	chomp $port;
	return bless {
		pid => 0 + PostgreSQL::Test::Utils::slurp_file($pid_file),
		base => "http://127.0.0.1:$port",
		owner => $$,
		http => HTTP::Tiny->new(timeout => 600, proxy => undef, http_proxy => undef)
	}, $class;
}

sub url
{
	my ($self, $path) = @_;

	return $self->{base} . $path;
}

# What later requests of the path get; true and false are JSON::PP::true and false.
sub set
{
	my ($self, $path, %answer) = @_;

	return $self->control('PUT', "set$path", encode_json(\%answer));
}

# Until the path's last request is held, done or aborted.
sub wait
{
	my ($self, $path, $state) = @_;

	return $self->control('GET', "wait$path?state=$state&timeout=180");
}

sub release
{
	my ($self, $path) = @_;

	return $self->control('POST', "release$path");
}

# The requests seen, each a hash; all of them, or those of one path.
sub log
{
	my ($self, $path) = @_;
	my $seen = decode_json($self->control('GET', 'log'));

	return grep { !defined $path || $_->{path} eq $path } @$seen;
}

sub clear_log
{
	my ($self) = @_;

	return $self->control('DELETE', 'log');
}

sub control
{
	my ($self, $method, $what, $content) = @_;
	my $answer = $self->{http}
	  ->request($method, "$self->{base}/_$what", { content => $content // '' });

	die "$method _$what: $answer->{status} $answer->{content}" unless $answer->{success};
	return $answer->{content};
}

sub stop
{
	my ($self) = @_;

	# signalled rather than asked: it may be gone, and the test's status must stay
	local ($?, $!);
	kill 'TERM', $self->{pid} if $self->{pid};
	$self->{pid} = 0;
	return;
}

# Children that the test forked must not end their parent's source.
sub DESTROY
{
	my ($self) = @_;

	$self->stop if $self->{owner} == $$;
	return;
}

1;
