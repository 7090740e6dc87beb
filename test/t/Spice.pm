=pod

=head1 NAME

Spice - a preloaded server, a scripted source and a session for the TAP tests

=head1 SYNOPSIS

  use FindBin;
  use lib $FindBin::RealBin;
  use Spice;

  my $source = Spice::Source->new;
  $source->set('/items', body => [ { id => 1 } ]);
  my $node = Spice::new_node('main',
  	Spice::manifest([ Spice::dataset('items', $source->url('/items')) ]));
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

use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A manifest as text.  It is JSON, which YAML includes.  %more are further keys.
sub manifest
{
	my ($datasets, %more) = @_;

	return JSON::PP->new->canonical->pretty->encode(
		{
			version => 'v1',
			kind => 'Spicepod',
			name => 'test',
			datasets => $datasets,
			%more
		});
}

# An accelerated dataset of a manifest.  Keys are those of its acceleration, but for
# params.
sub dataset
{
	my ($name, $from, %keys) = @_;
	my $params = delete $keys{params};

	return {
		name => $name,
		from => $from,
		$params ? (params => $params) : (),
		acceleration => { enabled => JSON::PP::true, %keys }
	};
}

# A started server that preloads spice and works in database postgres, where the
# extension is already created.  Further arguments are lines of postgresql.conf.
sub new_node
{
	my $node = start_node(@_);

	$node->safe_psql('postgres', 'CREATE EXTENSION spice');
	return $node;
}

# The same without the extension.
sub start_node
{
	my ($name, $manifest, @settings) = @_;
	my $node = init_node($name, [], "shared_preload_libraries = 'spice'", @settings);

	write_manifest($node, $manifest) if defined $manifest;
	$node->start;
	return $node;
}

# A cluster that is yet to be started; $options are PostgreSQL::Test::Cluster's.
sub init_node
{
	my ($name, $options, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--encoding=UTF8', '--locale=C' ], @$options);
	$node->append_conf('postgresql.conf', join("\n", @settings, ''));
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

# A psql that is turned away, as by a server that comes back from a crash, may leave before
# its query was written to it, and the library then ends the test instead of asking again.
{
	my $poll = \&PostgreSQL::Test::Cluster::poll_query_until;

	no warnings 'redefine';
	*PostgreSQL::Test::Cluster::poll_query_until = sub {
		for (1 .. 100)
		{
			my $answered = eval { $poll->(@_) };

			return $answered unless $@;
			die $@ unless $@ =~ /Broken pipe/;
			select undef, undef, undef, 0.1;
		}
		return 0;
	};
}

# Until a query answers true (or what is expected); an assertion of its own.
sub wait_for
{
	my ($node, $query, $name, $expected) = @_;

	return ok($node->poll_query_until('postgres', $query, $expected // 't'),
		$name // $query);
}

# What a statement is told when it fails; an assertion that it does.
sub error_of
{
	my ($node, $sql) = @_;
	my ($status, $answer, $error) = $node->psql('postgres', $sql);

	isnt($status, 0, "fails: $sql");
	return $error;
}

# Until the dataset's last error is like this; an assertion.
sub wait_for_error
{
	my ($node, $dataset, $pattern, $name) = @_;

	return wait_for($node, qq{SELECT coalesce(last_error, '') ~ '$pattern' FROM spice.datasets WHERE dataset = '$dataset'}, $name);
}

sub wait_for_status
{
	my ($node, $dataset, $status, $name) = @_;

	return wait_for($node, "SELECT status FROM spice.datasets WHERE dataset = '$dataset'", $name, $status);
}

# Until a table has the rows that its source has, which $ask asks; an assertion.
sub wait_for_same
{
	my ($node, $ask, $relation, $name, $columns, $condition) = @_;
	my $query = 'SELECT coalesce(md5(string_agg(x::text, chr(10) ORDER BY x::text)), chr(45)) FROM (SELECT '
	  . ($columns // '*') . " FROM $relation WHERE " . ($condition // 'true') . ') x';

	return wait_for($node, $query, $name, $ask->($query));
}

# How a dataset's table is stored: equal before and after means it was not rewritten.
sub storage_of
{
	my ($node, $table) = @_;

	return $node->safe_psql('postgres', "SELECT pg_relation_filenode('$table')");
}

# Files in the folders of database postgres, in any tablespace, whose numbers no relation
# has that is committed.  What is dropped goes from the disk by the next checkpoint.
sub unclaimed_files
{
	my ($node) = @_;

	return split /\n/, $node->safe_psql('postgres', q{SELECT folder || '/' || file
		FROM (SELECT 'base/' || oid FROM pg_database WHERE datname = 'postgres' UNION ALL
			SELECT format('pg_tblspc/%s/%s/%s', t.oid, pg_ls_dir('pg_tblspc/' || t.oid), d.oid) FROM pg_tablespace t, pg_database d
			WHERE spcname NOT IN ('pg_default', 'pg_global') AND datname = 'postgres') f (folder), pg_ls_dir(folder, true, false) file
		WHERE file ~ '^t?[0-9]' AND NOT EXISTS
		(SELECT 1 FROM pg_class c WHERE pg_relation_filenode(c.oid)::text = regexp_replace(file, '[_.].*', ''))});
}

# The process that refreshes, or the launcher.
sub pid_of
{
	my ($node, $type) = @_;

	return $node->safe_psql('postgres',
		"SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
}

# The postmaster's children of one kind, by what they are called.
sub children
{
	my ($node, $title) = @_;
	my @pids;

	foreach my $pid (child_pids($node->{_pid}))
	{
		open my $command, '<', "/proc/$pid/cmdline" or next;
		push @pids, $pid if (<$command> // '') =~ $title;
	}
	return @pids;
}

# Some of them are there for moments only: from one file, if the kernel has it.
sub child_pids
{
	my ($parent) = @_;
	my @pids;

	if (open my $file, '<', "/proc/$parent/task/$parent/children")
	{
		return split ' ', <$file> // '';
	}
	foreach my $path (glob '/proc/[0-9]*/stat')
	{
		open my $file, '<', $path or next;
		push @pids, $1 if (<$file> // '') =~ /^(\d+) \(.*\) \S $parent /s;
	}
	return @pids;
}

# The next postmaster wants neither the one before nor its children to be there.
sub kill_postmaster
{
	my ($node) = @_;
	my @pids = ($node->{_pid}, children($node, qr/./));
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	$node->kill9;
	select undef, undef, undef, 0.02 while time < $deadline && kill 0, @pids;
	return;
}

# Until the server's log says something after the given offset; an assertion.
sub wait_for_log
{
	my ($node, $pattern, $offset, $name) = @_;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	while (time < $deadline)
	{
		return ok(1, $name) if slurp_file($node->logfile, $offset) =~ $pattern;
		select undef, undef, undef, 0.1;
	}
	return ok(0, $name);
}

package Spice::Session;

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Utils;

# A psql that stays connected, for what must be open while something else happens.
sub new
{
	my ($class, $node, $database) = @_;
	my $self = bless { in => '', out => '', err => '', marks => 0 }, $class;

	$self->{timer} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	$self->{run} = IPC::Run::start(
		[
			$node->installed_command('psql'), '-XAtq', '-d',
			$node->connstr($database // 'postgres'), '-f', '-'
		],
		'<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, $self->{timer});
	$self->query('SELECT 1');
	return $self;
}

# Sends statements; their end is waited for by answer().
sub send
{
	my ($self, $sql) = @_;

	$self->{out} = '';
	$self->{err} = '';
	$self->{mark} = 'end of answer ' . ++$self->{marks};
	$self->{in} .= "$sql;\n\\echo $self->{mark}\n";
	$self->restart_timer;
	$self->{run}->pump_nb;
	return;
}

# The time between two calls is the test's own and does not count.
sub restart_timer
{
	my ($self) = @_;

	$self->{timer}->start($PostgreSQL::Test::Utils::timeout_default);
	return;
}

sub answer
{
	my ($self) = @_;

	$self->restart_timer;
	$self->{run}->pump until $self->{out} =~ s/\Q$self->{mark}\E\n//;
	$self->{run}->pump_nb;
	chomp $self->{out};
	return $self->{out};
}

sub query
{
	my ($self, $sql) = @_;

	$self->send($sql);
	return $self->answer;
}

# What the last statements were told by psql on standard error.
sub errors
{
	my ($self) = @_;

	return $self->{err};
}

sub quit
{
	my ($self) = @_;

	$self->{in} .= "\\q\n";
	$self->restart_timer;
	$self->{run}->finish;
	return;
}

package Spice::Source;

use strict;
use warnings;

use File::Basename;
use HTTP::Tiny;
use JSON::PP;
use PostgreSQL::Test::Utils;

my $program = dirname(__FILE__) . '/../server.py';

# Starts test/server.py; it ends with this object.  On the loopback unless said.
sub new
{
	my ($class, $address) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my $pid_file = "$folder/source.pid";
	my ($port, $errors);

	$address //= '127.0.0.1';
	IPC::Run::run([ 'python3', $program, '--daemon', '--pid-file', $pid_file, '--address', $address ],
		'>', \$port, '2>', \$errors)
	  or die "could not start $program: $errors";
	chomp $port;
	return bless {
		pid => 0 + PostgreSQL::Test::Utils::slurp_file($pid_file),
		port => $port,
		base => "http://$address:$port",
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

package Spice::Nginx;

use strict;
use warnings;

use IO::Socket::INET;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

# An nginx on loopback, for what a real server does; it ends with this object.
sub new
{
	my ($class) = @_;

	return bless {
		folder => PostgreSQL::Test::Utils::tempdir(),
		port => PostgreSQL::Test::Cluster::get_free_port(),
		owner => $$
	}, $class;
}

# Starts it, or another in its place; $server is what the configuration's server block says
# besides where to listen, and $listen how.
sub start
{
	my ($self, $server, $listen) = @_;
	my $folder = $self->{folder};
	my $paths = join ' ', map { "${_}_temp_path $folder/$_;" } qw(client_body proxy fastcgi uwsgi scgi);

	$self->stop;
	Spice::write_file("$folder/nginx.conf", <<"END");
pid $folder/pid;
error_log $folder/error.log;
worker_processes 1;
events { worker_connections 64; }
http
{
	access_log $folder/access.log;
	default_type application/json;
	$paths
	server { listen 127.0.0.1:$self->{port} $listen; $server }
}
END
	$self->run('-e', "$folder/error.log");
	return;
}

sub run
{
	my ($self, @arguments) = @_;
	my $output = '';

	IPC::Run::run([ '/usr/sbin/nginx', '-c', "$self->{folder}/nginx.conf", @arguments ],
		'<', \undef, '>&', \$output)
	  or die "nginx: $output";
	return;
}

# At once: asked to leave, it would take two seconds.  Until nobody listens any more.
sub stop
{
	my ($self) = @_;
	my $pid_file = "$self->{folder}/pid";
	local ($?, $!);

	return unless -s $pid_file;
	my $pid = 0 + PostgreSQL::Test::Utils::slurp_file($pid_file);
	kill 'KILL', -$pid;
	select undef, undef, undef, 0.01
	  while IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port});
	unlink $pid_file;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	$self->stop if $self->{owner} == $$;
	return;
}

package Spice::Certificates;

use strict;
use warnings;

use IPC::Run;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;

# Authorities and what they certify, in files of a folder: NAME/cert is the certificate of
# an authority, NAME.cert and NAME.key are those of a host.
sub new
{
	my ($class) = @_;

	return bless { folder => PostgreSQL::Test::Utils::tempdir() }, $class;
}

sub openssl
{
	my $output = '';

	IPC::Run::run([ 'openssl', @_ ], '<', \undef, '>&', \$output) or die "openssl @_: $output";
	return;
}

sub authority
{
	my ($self, $name) = @_;
	my $folder = $self->{folder};

	mkdir "$folder/$name" or die $!;
	Spice::write_file("$folder/$name/index", '');
	Spice::write_file("$folder/$name/serial", "01\n");
	Spice::write_file("$folder/$name/conf", <<"END");
[ca]
default_ca = all
[all]
database = $folder/$name/index
new_certs_dir = $folder/$name
serial = $folder/$name/serial
private_key = $folder/$name/key
certificate = $folder/$name/cert
default_md = sha256
unique_subject = no
copy_extensions = copy
policy = any
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
END
	openssl(qw(req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 3), '-config', "$folder/$name/conf",
		'-subj', "/CN=$name", '-addext', 'basicConstraints=critical,CA:true',
		'-keyout', "$folder/$name/key", '-out', "$folder/$name/cert");
	return;
}

# For a host's name or IPv4 address; dates are relative to today.
sub certificate
{
	my ($self, $name, $authority, $host, $first_day, $last_day) = @_;
	my $folder = $self->{folder};
	my ($from, $to) = map { strftime('%Y%m%d%H%M%SZ', gmtime(time + $_ * 86400)) } $first_day, $last_day;
	my $kind = $host =~ /^[\d.]+$/ ? 'IP' : 'DNS';

	openssl(qw(req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1), '-config', "$folder/$authority/conf",
		'-subj', "/CN=$host", '-addext', "subjectAltName=$kind:$host",
		'-keyout', "$folder/$name.key", '-out', "$folder/$name.request");
	openssl(qw(ca -batch -notext), '-config', "$folder/$authority/conf", '-in', "$folder/$name.request",
		'-out', "$folder/$name.cert", '-startdate', $from, '-enddate', $to);
	return;
}

package Spice::MariaDB;

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

# A started MariaDB on loopback, which writes down every statement; it ends with this object.
sub new
{
	my ($class) = @_;
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my $self = bless {
		folder => $folder,
		# the server's own default would be too long a path for a socket
		socket => PostgreSQL::Test::Utils::tempdir_short() . '/s',
		port => PostgreSQL::Test::Cluster::get_free_port(),
		owner => $$
	}, $class;

	$self->command(
		'mariadb-install-db', '--no-defaults', "--datadir=$folder/data",
		'--auth-root-authentication-method=normal', '--skip-test-db');
	$self->start;
	return $self;
}

sub command
{
	my ($self, @command) = @_;
	my ($output, $errors) = ('', '');

	IPC::Run::run(\@command, '<', \undef, '>', \$output, '2>', \$errors)
	  or die "$command[0]: $output$errors";
	return $output;
}

sub start
{
	my ($self) = @_;
	my $folder = $self->{folder};
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;

	$self->{server} = IPC::Run::start(
		[
			'/usr/sbin/mariadbd', '--no-defaults', "--datadir=$folder/data", "--socket=$self->{socket}",
			"--port=$self->{port}", '--bind-address=127.0.0.1', '--skip-name-resolve', '--general-log',
			"--general-log-file=$folder/statements", "--pid-file=$folder/pid"
		],
		'<', \undef, '>', "$folder/log", '2>&1');
	until (eval { $self->run('SELECT 1'); 1 })
	{
		die "mariadbd did not start: $@" . PostgreSQL::Test::Utils::slurp_file("$folder/log")
		  if time > $deadline;
		select undef, undef, undef, 0.1;
	}
	return;
}

# Statements as the server's administrator.
sub run
{
	my ($self, $sql) = @_;

	return $self->command('mariadb', '--no-defaults', '--default-character-set=utf8mb4', '--user=root',
		"--socket=$self->{socket}", '--batch', '--skip-column-names', "--execute=$sql");
}

# Every statement so far.
sub log
{
	my ($self) = @_;

	return PostgreSQL::Test::Utils::slurp_file("$self->{folder}/statements");
}

sub stop
{
	my ($self) = @_;
	local ($?, $!);
	my $server = delete $self->{server} or return;

	$server->signal('TERM');
	$server->finish;
	return;
}

sub DESTROY
{
	my ($self) = @_;

	$self->stop if $self->{owner} == $$;
	return;
}

1;
