# What Perl's Plack reads of a request. Usage: read.psgi.pl PORT
use strict;
use warnings;
use HTTP::Server::PSGI;
use JSON::PP;
use Plack::Request;

my $application = sub {
    my $request = Plack::Request->new(shift);
    my @found;
    for my $values (eval { $request->query_parameters }, eval { $request->body_parameters }) {
        $values->each(sub { push @found, @_ }) if $values;
    }
    my $uploads = eval { $request->uploads };
    $uploads->each(sub { push @found, $_[0], $_[1]->filename // '' }) if $uploads;
    my $cookies = eval { $request->cookies } // {};
    push @found, %$cookies;
    if (lc($request->content_type // '') =~ /json/) {
        my $value = eval { JSON::PP->new->utf8->decode($request->content) };
        my @left = ($value);
        while (@left) {
            my $one = shift @left;
            if (ref $one eq 'HASH') { push @found, keys %$one; push @left, values %$one }
            elsif (ref $one eq 'ARRAY') { push @left, @$one }
            elsif (defined $one && !ref $one) { utf8::encode($one); push @found, "$one" }
        }
    }
    my $json = JSON::PP->new->latin1->encode([map { "$_" } @found]);
    utf8::encode($json) if utf8::is_utf8($json);
    return [200, ['Content-Type' => 'application/json; charset=latin1'], [$json]];
};
HTTP::Server::PSGI->new(host => '127.0.0.1', port => $ARGV[0])->run($application);
