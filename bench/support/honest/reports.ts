import type { Draws } from './draws.ts'

/** Reports of errors, of policies and of traces. */
export function addReports({ int, pick, post, hex, host }: Draws): void {
  // error/CSP/OTel reports
  const JAVA = [
    'java.lang.Thread',
    'java.lang.NullPointerException',
    'org.springframework.web.servlet.DispatcherServlet',
    'java.io.BufferedReader',
    'org.apache.catalina.core.StandardWrapperValve',
    'com.example.app.OrderService',
    'java.util.concurrent.ThreadPoolExecutor',
    'javax.servlet.http.HttpServlet',
    'org.hibernate.engine.jdbc.spi.SqlExceptionHelper',
    'sun.reflect.NativeMethodAccessorImpl',
    'java.lang.reflect.Method',
  ]
  for (let i = 0; i < 300; i++) {
    const stackJs = `TypeError: Cannot read properties of undefined (reading 'map')\n    at render (https://${host()}/static/js/main.${hex(4)}.js:1:${int(9999)})\n    at Object.exec (file:///home/ann/app/node_modules/x/index.js:${int(99)}:12)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)`
    post(
      'error-report',
      pick(['/api/1/envelope/', '/api/1/store/', '/csp', '/v1/traces', '/errors']),
      pick<unknown>([
        {
          exception: {
            values: [
              {
                type: 'TypeError',
                value: "Cannot read properties of null (reading 'constructor')",
                stacktrace: {
                  frames: Array.from({ length: 3 + int(5) }, () => ({
                    filename: pick([
                      'app:///main.js',
                      '/usr/local/lib/python3.11/site-packages/django/core/handlers/exception.py',
                      '/var/www/html/index.php',
                      'C:\\Windows\\System32\\ntdll.dll',
                      'webpack:///./src/App.tsx',
                      'node:internal/process/task_queues',
                    ]),
                    function: pick([
                      'eval',
                      'Object.exec',
                      '<anonymous>',
                      'system',
                      '__init__',
                      'run',
                      'require',
                      'passthru',
                      'sleep',
                    ]),
                    module: pick(JAVA),
                    lineno: int(999),
                    context_line: pick([
                      '  const x = document.cookie',
                      "    cursor.execute('SELECT * FROM users WHERE id = %s', [id])",
                      '  return eval(code)',
                      'if (a && b || c) { exec(cmd) }',
                      '<?php echo $x; ?>',
                      "os.system('ls')",
                      "    raise ValueError(f'x={x}')",
                      '  alert(1)',
                    ]),
                  })),
                },
              },
            ],
          },
          breadcrumbs: [
            { category: 'console', message: pick(['SELECT 1', 'Uncaught SyntaxError', 'GET /a?b=c 500']) },
            {
              category: 'query',
              message: "SELECT id, name FROM orders WHERE status = 'open' AND id IN (1,2)",
            },
          ],
          request: {
            url: `https://${host()}/a?x=1`,
            headers: { Cookie: '[Filtered]' },
            query_string: "q=O'Brien",
          },
          contexts: { os: { name: 'Linux' } },
        },
        {
          'csp-report': {
            'document-uri': `https://${host()}/`,
            referrer: '',
            'violated-directive': pick(['script-src-elem', 'img-src']),
            'effective-directive': 'script-src',
            'original-policy': "default-src 'self'; script-src 'self' 'unsafe-inline'; report-uri /csp",
            'blocked-uri': pick([
              'inline',
              'eval',
              'data',
              'http://127.0.0.1:8080/x.js',
              'chrome-extension://abc',
              'https://evil.example/x.js',
            ]),
            'script-sample': pick([
              'alert(1)',
              'eval(',
              'document.cookie',
              'onclick="x()"',
              'javascript:void(0)',
              '',
            ]),
          },
        },
        { message: stackJs, stack: stackJs, level: 'error', url: `https://${host()}/p` },
        {
          resourceSpans: [
            {
              scopeSpans: [
                {
                  spans: [
                    {
                      traceId: hex(16),
                      spanId: hex(8),
                      name: 'SELECT shop.orders',
                      attributes: [
                        {
                          key: 'db.statement',
                          value: {
                            stringValue: pick([
                              'SELECT * FROM orders WHERE id = $1 AND total > 10 ORDER BY 2 LIMIT 1',
                              'INSERT INTO t (a,b) VALUES (?, ?)',
                              "UPDATE users SET name = 'x' WHERE id = 5",
                              'DELETE FROM sessions WHERE expires < now()',
                              'select count(*) from information_schema.tables',
                              'SELECT 1',
                            ]),
                          },
                        },
                        { key: 'http.url', value: { stringValue: 'http://localhost:8080/a?b=c' } },
                        { key: 'code.function', value: { stringValue: 'exec' } },
                        {
                          key: 'process.command_line',
                          value: {
                            stringValue: pick([
                              '/usr/bin/java -jar app.jar',
                              'node server.js',
                              '/bin/sh -c "exec nginx"',
                              'python -m http.server',
                            ]),
                          },
                        },
                        {
                          key: 'exception.stacktrace',
                          value: {
                            stringValue: `java.lang.IllegalStateException: no\n\tat java.base/java.lang.Thread.run(Thread.java:833)\n\tat ${pick(JAVA)}.invoke(X.java:12)`,
                          },
                        },
                      ],
                    },
                  ],
                },
              ],
            },
          ],
        },
        { module: pick(JAVA), logger: pick(JAVA), thread: 'main', message: `Failed: ${pick(JAVA)}: x` },
        {
          type: 'deprecation',
          body: {
            message: "'document.write' is deprecated",
            sourceFile: `https://${host()}/a.js`,
            lineNumber: 5,
          },
        },
        {
          package: 'C:\\Windows\\System32\\kernel32.dll',
          image: '/usr/lib/libc.so.6',
          path: '/proc/1/maps'.replace('maps', 'exe'),
        },
      ]),
    )
  }
}
