# What Rack reads of a request (Rails and Sinatra read through it). Usage: read.rb PORT
require 'json'
require 'rack'
require 'stringio'
require 'webrick'

def texts(value, found)
  case value
  when Hash
    if value.key?(:tempfile)
      found << value[:filename].to_s << value[:type].to_s << value[:name].to_s
    else
      value.each { |name, inner| found << name.to_s; texts(inner, found) }
    end
  when Array then value.each { |inner| texts(inner, found) }
  when String then found << value
  end
  found
end

def attempt
  yield
rescue StandardError, SystemStackError
  nil
end

application = lambda do |env|
  request = Rack::Request.new(env)
  found = []
  attempt { texts(request.GET, found) }
  attempt { texts(request.cookies, found) }
  attempt { texts(request.POST, found) }
  type = env['CONTENT_TYPE'].to_s.downcase
  if type.include?('json') || type.include?('xml')
    body = attempt { request.body.rewind; request.body.read } || ''
    attempt { texts(JSON.parse(body), found) } if type.include?('json')
  end
  clean = found.map { |text| text.dup.force_encoding('UTF-8').scrub }
  [200, { 'content-type' => 'application/json' }, [JSON.generate(clean)]]
end

server = WEBrick::HTTPServer.new(
  BindAddress: '127.0.0.1', Port: ARGV[0].to_i, AccessLog: [], Logger: WEBrick::Log.new(File::NULL)
)
server.mount_proc('/') do |request, response|
  env = request.meta_vars.select { |name, _| name =~ /\A[A-Z_]+\z/ }
  body = request.body.to_s
  env.merge!(
    'rack.input' => StringIO.new(body.b), 'rack.errors' => $stderr, 'rack.url_scheme' => 'http',
    'QUERY_STRING' => request.query_string.to_s, 'CONTENT_LENGTH' => body.bytesize.to_s
  )
  env['HTTP_COOKIE'] = request['cookie'] if request['cookie']
  status, headers, parts = application.call(env)
  response.status = status
  headers.each { |name, value| response[name] = value }
  response.body = parts.join
end
trap('TERM') { server.shutdown }
server.start
