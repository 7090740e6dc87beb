=pod

=head1 NAME

Columns - random tables and random queries for the tests of column indexes

=head1 SYNOPSIS

  my $random = Columns->new($seed);
  my $table = $random->table('t', 5000);
  print $table->{make};
  my $query = $random->query($table);

=head1 DESCRIPTION

A table has columns of many types with the values that go wrong first: nulls, the least
and the greatest, NaN, infinities, both zeros, empty and long strings, and dictionaries
of one entry less and more than a code has room for.  A query groups and aggregates the
table by expressions, under conditions.  The same seed makes the same tables and queries.

=cut

package Columns;

use strict;
use warnings;

sub new
{
	my ($class, $seed) = @_;

	return bless { state => $seed }, $class;
}

# A generator of its own: perl's rand() differs between builds.
sub below
{
	my ($self, $n) = @_;

	$self->{state} = ($self->{state} * 1103515245 + 12345) % 2147483648;
	return int($self->{state} / 2147483648 * $n);
}

sub one_of
{
	my ($self, @of) = @_;

	return $of[ $self->below(scalar @of) ];
}

# true in n of a hundred cases
sub chance
{
	my ($self, $n) = @_;

	return $self->below(100) < $n;
}

# Of each type: how it is used, an expression over r (a random number of the row) and i
# (the row's number), and values that are rare.
my %types = (
	int2 => [ 'integer', '(r % 40)::int2', "'-32768'::int2", "'32767'::int2", '0::int2' ],
	int4 => [ 'integer', '(r % 100000)::int4 - 500', "'-2147483648'::int4", "'2147483647'::int4", '0' ],
	int8 => [ 'integer', 'r::int8 * 1000003', "'-9223372036854775808'::int8", "'9223372036854775807'::int8", '-1::int8' ],
	float4 => [ 'float', '(r % 1000)::float4 / 8', "'NaN'::float4", "'-0'::float4", "'3.4e38'::float4", "'1e-45'::float4" ],
	float8 => [ 'float', '(r % 100000)::float8 / 100', "'-0'::float8", '0::float8', "'1e-300'::float8", '-1e15::float8' ],
	wild => [ 'float', '(r % 1000)::float8 / 3', "'NaN'::float8", "'Infinity'::float8", "'-Infinity'::float8", "'1e200'::float8", "'-1.7e308'::float8" ],
	money2 => [ 'numeric', '(r % 100000)::numeric(12,2) / 100', '0.10::numeric(12,2)', '-9999999999.99::numeric(12,2)' ],
	numeric => [ 'numeric', '(r % 1000)::numeric / 4', "'NaN'::numeric", '1.000', '1.0', '123456789012345678901234567890.5', '-1e-20' ],
	bool => [ 'bool', 'r % 3 = 0', 'true', 'false' ],
	date => [ 'date', "date '2024-12-01' + (r % 500)::int", "'infinity'::date", "'-infinity'::date", "'4713-01-01 BC'::date" ],
	timestamp => [ 'timestamp', "timestamp '2025-03-01' + (r % 5000000) * interval '1 second'", "'infinity'::timestamp", "'294276-12-31'::timestamp", "'1900-01-01 00:00:01'::timestamp" ],
	timestamptz => [ 'timestamptz', "timestamptz '2025-03-01' + (r % 50000000) * interval '1 second'", "'-infinity'::timestamptz", "'1883-11-18 12:00'::timestamptz", "'2300-06-01'::timestamptz" ],
	few => [ 'text', "(array['active','retired','sold','','Über','active '])[1 + r % 6]", "repeat('x', 300)" ],
	d256 => [ 'text', "'v' || (r % 256)", "''" ],
	d257 => [ 'text', "'v' || (r % 257)", "'v'" ],
	d40000 => [ 'text', "'word' || (i % 40000)", "repeat('long', 900)" ],
	unique => [ 'text', "'SKU-' || lpad(i::text, 7, '0')", "repeat('toast', 5000)" ],
	varchar => [ 'text', "('n' || r % 50)::varchar(20)", "'n1  '::varchar(20)" ],
	bpchar => [ 'other', "('c' || r % 7)::char(5)", "'c1'::char(5)" ],
	uuid => [ 'other', "md5((r % 90)::text)::uuid", "'00000000-0000-0000-0000-000000000000'::uuid" ],
	bytea => [ 'other', "decode(lpad(to_hex(r % 30), 4, '0'), 'hex')", "''::bytea" ],
	interval => [ 'interval', "(r % 100) * interval '1 hour'", "interval '1 day'", "interval '24 hours'" ],
	time => [ 'time', "time '00:00' + (r % 86400) * interval '1 second'", "'24:00'::time" ],
	jsonb => [ 'other', "jsonb_build_object('a', r % 5)", "'[]'::jsonb" ],
);

my %sql_name = (
	wild => 'float8', money2 => 'numeric(12,2)', few => 'text', d256 => 'text', d257 => 'text',
	d40000 => 'text', unique => 'text', varchar => 'varchar(20)', bpchar => 'char(5)');

# One expression for a column: mostly its usual values, some rare ones, some nulls.
sub values_of
{
	my ($self, $type, $rows) = @_;
	my ($class, $usual, @rare) = @{ $types{$type} };
	my $nulls = $self->one_of(0, 0, 3, 30);
	my $rare = $self->one_of(0, 2, 10);
	my $text = 'CASE';

	$text .= " WHEN (r / 7) % 100 < $nulls THEN NULL" if $nulls;
	for my $k ($rare ? 0 .. $#rare : ())
	{
		$text .= " WHEN (r / 11) % 1000 = " . ($k * 7) . " * (CASE WHEN i > " . int($rows / 3) . " THEN 1 ELSE 0 END) + $k THEN $rare[$k]";
	}
	return $usual if $text eq 'CASE';
	return "$text ELSE $usual END";
}

# SQL that makes the table, and its columns by class.
sub table
{
	my ($self, $name, $rows) = @_;
	my @names = sort keys %types;
	my (@columns, @values, %by_class, @all);
	my $n = 0;

	for my $type (sort { $self->{order}{$a} <=> $self->{order}{$b} } map { $self->{order}{$_} = $self->below(1000000); $_ } @names)
	{
		next if $self->chance(15);
		my $column = "c" . ++$n;
		my $sql = $sql_name{$type} // $type;

		if ($self->chance(10))
		{
			push @columns, "gone$n int";
			push @values, 'i';
		}
		push @columns, "$column $sql";
		push @values, $self->values_of($type, $rows);
		push @{ $by_class{ $types{$type}[0] } }, { name => $column, type => $type };
		push @all, $column;
	}
	my $make = "CREATE TABLE $name (" . join(', ', @columns) . ') WITH (fillfactor = ' . $self->one_of(10, 30, 100) . ", autovacuum_enabled = off);\n";
	$make .= "INSERT INTO $name SELECT " . join(', ', @values)
	  . " FROM (SELECT i, (hashint8extended(i, " . $self->below(1000) . ") & 2147483647)::int8 AS r FROM generate_series(1, $rows) i) s;\n";
	$make .= "ALTER TABLE $name DROP COLUMN $_;\n" for map { /^(gone\d+)/ ? $1 : () } @columns;
	$make .= "ALTER TABLE $name ADD COLUMN late int4 DEFAULT 7;\nALTER TABLE $name ADD COLUMN later text;\n";
	push @{ $by_class{integer} }, { name => 'late', type => 'int4' };
	push @{ $by_class{text} }, { name => 'later', type => 'few' };
	return { name => $name, make => $make, columns => [ @all, 'late', 'later' ], class => \%by_class, rows => $rows };
}

# Changes of some rows, by which some blocks are no longer the index's to answer for.
sub change
{
	my ($self, $table) = @_;
	my $column = $self->one_of(@{ $table->{columns} });
	my $at = $self->below($table->{rows});

	return $self->one_of(
		"UPDATE $table->{name} SET $column = $column WHERE ctid IN (SELECT ctid FROM $table->{name} OFFSET $at LIMIT 50)",
		"UPDATE $table->{name} SET $column = NULL WHERE ctid IN (SELECT ctid FROM $table->{name} OFFSET $at LIMIT 5)",
		"DELETE FROM $table->{name} WHERE ctid IN (SELECT ctid FROM $table->{name} OFFSET $at LIMIT 20)",
		"INSERT INTO $table->{name} SELECT * FROM $table->{name} OFFSET $at LIMIT 30",
		"VACUUM $table->{name}");
}

sub column
{
	my ($self, $table, $class) = @_;
	my $columns = $table->{class}{$class} // return;

	return $self->one_of(@$columns)->{name};
}

my %constants = (
	integer => [ '0', '1', '-1', '7', '100', '5000', '32767' ],
	float => [ '0', '1.5', "'NaN'::float8", '-0.0', '100' ],
	numeric => [ '0', '1.0', '12.50', "'NaN'::numeric" ],
	date => [ "date '2025-01-15'", "date '2025-06-01'" ],
	timestamp => [ "timestamp '2025-03-15 12:00'", "timestamp '2025-04-01'" ],
	timestamptz => [ "timestamptz '2025-03-30 02:30'", "timestamptz '2026-01-01'" ],
	text => [ "'active'", "'v17'", "''", "'SKU-0000100'", "'word12'" ],
	interval => [ "interval '1 day'", "interval '30 hours'" ],
	time => [ "time '12:00'", "time '24:00'" ]);

# An expression of a class, or undef when the table has no column for it.
sub value
{
	my ($self, $table, $class, $depth) = @_;
	my $column = $self->column($table, $class);
	my $deeper = $depth > 0 && $self->chance(35);

	return unless defined $column;
	return $column unless $deeper;
	if ($class eq 'integer')
	{
		my $other = $self->chance(50) ? $self->one_of(@{ $constants{integer} }) : $self->value($table, 'integer', $depth - 1);
		my $text = $self->column($table, 'text');

		return $self->one_of(
			"($column " . $self->one_of('+', '-', '*') . " $other)", "($column % " . $self->one_of(3, 10, 1000) . ')',
			"($column / " . $self->one_of(2, 7, -1) . ')', "abs($column)", "coalesce($column, $other)",
			"CASE WHEN $column > 10 THEN $column ELSE $other END", "($column / nullif($other, 0))",
			defined $text ? "length($text)" : $column);
	}
	if ($class eq 'float')
	{
		my $other = $self->value($table, $self->one_of('float', 'integer'), $depth - 1);

		return $self->one_of("($column " . $self->one_of('+', '-', '*') . " $other)", "($column / 3)", "round($column)", "-$column");
	}
	return $self->one_of("($column + 1)", "($column * 1.50)", "round($column, 1)") if $class eq 'numeric';
	if ($class eq 'text')
	{
		return $self->one_of("lower($column)", "left($column, 2)", "($column || 'x')", "coalesce($column, 'none')", "nullif($column, 'active')", "substr($column, 2, 3)");
	}
	if ($class eq 'timestamp' || $class eq 'timestamptz')
	{
		return "date_trunc('" . $self->one_of('day', 'week', 'month', 'hour', 'year', 'quarter') . "', $column)";
	}
	return $column;
}

my @classes = qw(integer float numeric date timestamp timestamptz text text interval time bool other);

sub condition
{
	my ($self, $table, $depth) = @_;
	my $class = $self->one_of(@classes);
	my $value = $self->value($table, $class, 1) // return 'true';

	if ($depth > 0 && $self->chance(25))
	{
		return '(' . $self->condition($table, $depth - 1) . $self->one_of(' OR ', ' AND ') . $self->condition($table, $depth - 1) . ')';
	}
	return 'NOT ' . $self->condition($table, $depth - 1) if $depth > 0 && $self->chance(10);
	return "$value IS " . $self->one_of('', 'NOT ') . 'NULL' if $self->chance(15);
	return $self->one_of($value, "NOT $value", "$value IS TRUE", "$value IS NOT FALSE") if $class eq 'bool';
	return "$value = $value" if $class eq 'other';
	if ($class eq 'text')
	{
		my $constant = $self->one_of(@{ $constants{text} });

		return $self->one_of(
			"$value = $constant", "$value <> $constant", "$value < $constant", "$value >= $constant",
			"$value LIKE '%a%'", "$value LIKE 'v1%'", "$value NOT LIKE '%_e%'", "$value ILIKE '%W%'", "$value ~ '^[a-m]'",
			"$value LIKE '%12%'", "$value IN ('active', 'v3', 'v200', $constant)", "length($value) > 4", "$value || 'x' = 'activex'");
	}
	my $other = $self->chance(20) ? $self->value($table, $class, 1) : $self->one_of(@{ $constants{$class} });

	return "$value BETWEEN $other AND " . $self->one_of(@{ $constants{$class} }) if $self->chance(15);
	return "$value IN ($other, " . $self->one_of(@{ $constants{$class} }) . ')' if $self->chance(10);
	return "$value IS DISTINCT FROM $other" if $self->chance(5);
	return "$value " . $self->one_of('=', '<>', '<', '<=', '>', '>=') . " $other";
}

# $how: 'any' aggregate of a query without keys; 'hashed', one of a query that core
# answers in the heap's order; 'sorted', one whose result does not depend on the order.
sub aggregate
{
	my ($self, $table, $how) = @_;
	my $class = $self->one_of(grep { $how ne 'sorted' || !/float|numeric|interval/ } @classes);
	my $value = $self->value($table, $class, 2);
	my $text;

	return 'count(*)' if !defined $value || $self->chance(15);
	my @functions = ("count($value)", "count($value)");
	push @functions, map { "$_($value)" } qw(sum avg min max) if $class =~ /^(integer|float|numeric|interval)$/;
	push @functions, map { "$_($value)" } qw(stddev var_pop) if $class =~ /^(integer|float|numeric)$/;
	push @functions, map { "$_($value)" } qw(min max) if $class =~ /^(date|timestamp|timestamptz|text|time)$/;
	push @functions, map { "$_($value)" } qw(bool_and bool_or every) if $class eq 'bool';
	push @functions, ("count(DISTINCT $value)") x 3 if $how ne 'hashed' && $class ne 'interval';
	$text = $self->one_of(@functions);
	$text .= ' FILTER (WHERE ' . $self->condition($table, 1) . ')' if $self->chance(15);
	return $text;
}

sub key
{
	my ($self, $table, $how) = @_;
	my $class = $self->one_of(grep { $how ne 'sorted' || !/float|numeric|interval/ }
		  qw(integer float date timestamp timestamptz text text text bool numeric other time));

	return $self->value($table, $class, 1);
}

# The first rows of an order.  Only the keys are shown, as ties may be resolved either way.
sub first_rows
{
	my ($self, $table) = @_;
	my @keys = grep { defined } map { $self->key($table, 'sorted') } 1 .. 1 + $self->below(3);
	my @conditions = map { $self->condition($table, 1) } 1 .. $self->below(3);
	my $n = 0;

	@keys = ('late') unless @keys;
	return 'SELECT ' . join(', ', map { "$_ AS x" . ++$n } @keys) . " FROM $table->{name}"
	  . (@conditions ? ' WHERE ' . join(' AND ', @conditions) : '') . ' ORDER BY '
	  . join(', ', map { $_ . $self->one_of('', ' DESC', ' NULLS FIRST', ' DESC NULLS LAST') } 1 .. @keys)
	  . ' LIMIT ' . $self->one_of(1, 10, 300) . $self->one_of('', ' OFFSET 7');
}

# A query that has one answer, whatever the plan: with count(DISTINCT) and keys core sorts,
# so sums of floats have other digits.
sub query
{
	my ($self, $table) = @_;

	return $self->first_rows($table) if $self->chance(15);
	my $how = $self->chance(30) ? 'sorted' : 'hashed';
	my @keys = grep { defined } map { $self->key($table, $how) } 1 .. $self->one_of(0, 0, 1, 1, 1, 2, 2, 3);
	my @aggregates = map { $self->aggregate($table, @keys ? $how : 'any') } 1 .. 1 + $self->below(4);
	my @conditions = map { $self->condition($table, 2) } 1 .. $self->one_of(0, 0, 1, 1, 2, 3);
	my $n = 0;
	my $text = 'SELECT ' . join(', ', map { "$_ AS x" . ++$n } @keys, @aggregates) . " FROM $table->{name}";

	$text .= ' WHERE ' . join(' AND ', @conditions) if @conditions;
	$text .= ' GROUP BY ' . join(', ', 1 .. @keys) if @keys;
	$text .= " HAVING count(*) > " . $self->below(5) if $self->chance(15);
	return $text;
}

1;
