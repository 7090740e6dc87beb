# Nothing goes around the owner's gate: what can evaluate SQL or expressions, or change who
# runs them, occurs in src/catalog and in the files below, each for a reason.

use strict;
use warnings;

use File::Basename;
use File::Find;
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname($FindBin::RealBin) . '/..';
my %reasons = (
	'refresh/query.c' => 'plans and runs between catalog_enter_as_owner() or _unfiltered() and catalog_leave()',
	'refresh/retention.c' => 'the same',
	'refresh/follow/subscription.c' => 'the server\'s own subscriptions, as a superuser',
	'source/changes/slot.c' => 'the parser of COPY; snapshot_load() calls it as the owner',
	'source/mysql_connector.c' => 'plans queries of spice\'s own over the source\'s catalogs',
	'table/load/load.c' => 'CHECK constraints; query_run() and snapshot_load() call it as the owner');
my $evaluates = qr/\b(?:parse_analyze\w*|pg_plan_quer\w+|pg_analyze_and_rewrite\w*|QueryRewrite|CreateQueryDesc|BeginCopyFrom|ExecPrepare\w*|ExecInitExpr|evaluate_expr|eval_const_expressions|SetUserIdAndSecContext)\(/;

# DDL on a dataset's relation is catalog_alter()'s, or stands between catalog_enter_as_owner() and catalog_leave().
my $alters = qr/catalog_run\(\s*psprintf\(\s*"(?:ALTER (?:FOREIGN )?TABLE|COMMENT ON COLUMN)/;
my %altering = (
	'catalog/relation.c' => 'gives a relation to its owner',
	'table/alter.c' => 'as the owner');
my (%found, @files);

find({ no_chdir => 1, wanted => sub { push @files, $_ if /\.c$/ } }, "$root/src");
for my $path (@files)
{
	my $text = slurp_file($path);
	(my $file = $path) =~ s{^.*/src/}{};

	$found{evaluates}{$file} = 1 if $text =~ $evaluates && $file !~ m{^catalog/};
	$found{alters}{$file} = 1 if $text =~ $alters;
	fail("$file leaves the rewriter out") if $text =~ /(?<!QueryRewrite\()parse_analyze_fixedparams/ && $text !~ /QueryRewrite/
	  && $file ne 'source/mysql_connector.c';
}
is(join(' ', sort keys %{ $found{evaluates} }), join(' ', sort keys %reasons), 'what evaluates SQL');
is(join(' ', sort keys %{ $found{alters} }), join(' ', sort keys %altering), 'what alters relations');
done_testing();
