import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/**
 * Scanners by what they call themselves, files that are only ever asked for by intruders, uploads that a
 * server would run.
 */
export const probeRules: readonly Rule[] = [
  pattern(
    'scanner/user-agent',
    /\b(?:sqlmap|nikto|nmap scripting|masscan|nuclei|acunetix|netsparker|nessus|openvas|burp\s?suite|burpcollaborator|owasp zap|wpscan|dirbuster|gobuster|ffuf|fuzz faster|wfuzz|feroxbuster|arachni|w3af|skipfish|havij|jaeles|xsser|commix|whatweb|zgrab|wapiti|vega\/|appscan|webinspect|qualys|fimap|joomscan|metasploit|paros|grendel|zmeu|morfeus|jorgee|muieblackcat|brutus|detectify|webshag|sysscan|libwww-perl\/[0-4]|n-stealth|core-project\/|internet ninja|absinthe|bsqlbf|mysqloit|pangolin|sql power|uil2pn|webvulnscan|s\.t\.a\.l\.k\.e\.r|cgichk|blackwidow|prog\.customcrawler|python-httpx\/nuclei|l9explore|l9tcpid|cobalt strike|domino hunter|nacos-server|sqlninja|webtrends security|whisker|bilbo|dav\.pm\/v|havij|black widow)/,
    {
      score: 5,
      places: ['header'],
      words: WORD.scanner,
      attacks: ['sqlmap/1.7#stable', 'Fuzz Faster U Fool v2.0.0', 'Mozilla/5.00 (Nikto/2.1.6)'],
      benign: ['Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0', 'Vega browser'],
    },
  ),
  pattern(
    'probe/path',
    /\/(?:\.(?:git|svn|hg|bzr)(?:\/|$)|\.(?:gitlab-ci\.yml|git-credentials|dockerenv|travis\.yml)$|(?<!(?:^|\/)(?:types|schemas?|locales?|i18n|lang(?:uage)?s?|translations?)\/(?:[a-z]{2,3}(?:[-_][a-z\d]{2,4})?\/)?)(?:appsettings(?:\.\w{1,20})?\.json|secrets?\.(?:json|ya?ml)|credentials\.(?:json|ya?ml|csv))$|debug\/(?:pprof|vars$)|config\/database\.ya?ml$|conf\/(?:server|tomcat-users|context)\.xml$|app\/etc\/(?:local\.xml|env\.php)$|cvs\/entries|(?:c99|r57|b374k|wso)\.php|\w{1,40}\.(?:php|jsp|aspx?|inc|conf|ya?ml)~$|\.env(?:[./]\w{1,16})?$|\.(?:htaccess|htpasswd|bash_history|ssh|aws|docker|kube|npmrc|netrc|pgpass|ds_store|idea|vscode|aider|junie|claude|cursor|gnupg|mysql_history|zsh_history|viminfo|subversion|wp-config|dockercfg|pypirc|vault-token|boto|s3cfg|config\/gcloud|python_history|node_repl_history|irb_history|psql_history|profile|bashrc|zshrc)(?:[./]|$)|wp-config\.(?:php|bak|txt|old)|(?:wp-content|storage|logs?)\/(?:debug\.log|laravel\.log)|web-inf(?:\/|$)|meta-inf\/|(?:phpinfo|php_info|info|phpversion)\.php$|phpinfo\.php|_profiler\/(?:phpinfo|open)|(?:elmah|trace)\.axd$|web-console\/(?:invoker|serverinfo)|axis2-admin\/|debug\/default\/view|server-(?:status|info)$|cgi-bin\/(?:luci|php|test|printenv|\.)|actuator\/(?:env|heapdump|gateway|jolokia|threaddump|mappings|shutdown|trace)|vendor\/phpunit|jmx-console|hnap1|boaform|_ignition\/execute|telescope\/requests|owa\/auth\/[\w.]{1,24}\.js|sys\/(?:class|kernel|devices)|proc\/(?:self|\d)|etc\/(?:passwd|shadow|hosts|letsencrypt|ssl|nginx|apache2)|id_(?:rsa|dsa|ed25519)(?:\.pub)?$|(?:docker-compose|compose)\.ya?ml$|(?:composer|package-lock|yarn)\.lock$|config\.(?:inc|php|yml|yaml|bak|old)(?:\.bak)?$|privkey\.pem|(?<!\/(?:contents|raw|blob|blame|src|tree)\/[^\s]{0,200})(?:php|web|app|http|apache2?|httpd|nginx|my|settings|config|database|db|secrets?)\.(?:ini|conf|cfg|config)$|(?:error|access|debug|laravel|production|development|server|application|app)(?:[_-]log)?\.log$)/,
    {
      score: 5,
      places: ['path'],
      words: WORD.probe | WORD.page,
      attacks: [
        '/.git/config',
        '/.env',
        '/.git-credentials',
        '/appsettings.json',
        '/debug/pprof/',
        '/config.php~',
        '/wp-content/debug.log',
        '/actuator/env',
        '/etc/letsencrypt/live/x/privkey.pem',
        '/logs/error.log',
        '/app/php.ini',
      ],
      benign: [
        '/api/items',
        '/.well-known/acme-challenge/x',
        '/environment',
        '/git/log',
        '/a/config',
        '/main.css',
        '/repos/ann/app/contents/config/nginx.conf',
        '/export.csv',
        '/misc/sample.log',
        '/files/dhcpd.conf',
        '/slides/talk.key',
        '/types/credentials.json',
        '/locales/de/secrets.json',
      ],
    },
  ),
  // Copies and exports that somebody left there. Who uploads one under its name does not look for one.
  pattern(
    'probe/file',
    /\/(?:(?:backup|dump|database|db|site|www)\.(?:sql|sqlite3?|zip|tar|tar\.gz|rar|7z|bak)(?:\.gz)?$|config\/master\.key$|[\w.-]{1,60}\.(?:old|bak|swp|orig|save|inc|sql|mdb|p12|pfx|jks|csproj|licx|ashx\.cs|asax|rdb|webinfo|pwd|idq|htr|htw|ida|idc|asa|backup)(?:\.(?:gz|zip|tar|tgz|7z|rar))?~?$)/,
    {
      score: 5,
      places: ['path'],
      words: WORD.probe,
      attacks: ['/get/foo.bar.sql', '/backup.sql.zip', '/backup.zip', '/index.php.bak', '/keys/site.p12'],
      benign: ['/api/items', '/export.csv', '/backup', '/files/site.pdf'],
    },
  ),
  pattern(
    'probe/file-kind',
    // Sites do serve such files: only a stricter level refuses them all.
    /\/[\w.-]{1,60}\.(?:conf|cfg|ini|log|pem|key|dbf|dat|cs|vb|vbs|config|resx|pol|xsd|printer|dos|cmd|com|bat|lnk|cdx|cer|axd|sys|dll)~?$/,
    {
      score: 4,
      places: ['path'],
      words: WORD.probe,
      attacks: ['/x/server.conf', '/WebResource.axd', '/keys/site.key'],
      benign: ['/a.html', '/api/config', '/dll'],
    },
  ),
  pattern(
    'probe/administration',
    // Whoever runs such an application opens it so, or sets it up so, and a backend without it answers 404:
    // only a stricter level refuses it. Who looks for several of them is found by what the backend answers
    // (scenarios).
    /\/(?:(?:phpmyadmin|pma|myadmin|adminer)(?:[-/.]|$)|(?:host-)?manager\/(?:html|text)|solr\/admin|ecp\/|wp-admin\/(?:install|setup-config)\.php)/,
    {
      score: 4,
      places: ['path'],
      words: WORD.probe,
      attacks: [
        '/phpmyadmin/',
        '/pma/index.php',
        '/manager/html',
        '/solr/admin/cores',
        '/wp-admin/install.php',
      ],
      benign: ['/pmanager', '/api/manager', '/solr/shop/select', '/recp/x'],
    },
  ),
  // A page of the server behind an address that a program checks without it.
  pattern('probe/hidden-page', /^\/[\w/.:-]{1,160};\w{0,24}\.jspx?$/, {
    score: 5,
    atStart: true,
    chars: CHAR.semicolon,
    places: ['query'],
    attacks: ['/app/rest/server;x.jsp', '/app/rest/users/id:1/tokens/x;.jsp'],
    benign: ['/a.jsp', '/a;jsessionid=1', '/app;v=1/x.jsp'],
  }),
  // A question mark that the front takes for a part of the name and what it passes the path to does not.
  pattern('probe/hidden-question', /\/[\w.-]{0,60}%3f[\w.-]{0,24}\.(?:php\d?|phtml|jspx?|aspx?|cgi)$/, {
    score: 5,
    places: ['path'],
    chars: CHAR.percent,
    attacks: ['/poc.jsp/%3f.php', '/a/b%3F.jsp', '/admin.php%3fooo.php'],
    benign: ['/wiki/What%3f', '/wiki/What_is_a.php%3f', '/index.php%3fid=2.php', '/a%3f.css'],
  }),
  // Behind the name of a page what one program cuts off and another one does not; a page below a picture,
  // which a careless setting of PHP has it run; a file of settings or of the system before a question mark.
  pattern(
    'probe/page-tail',
    /\.(?:php\d?|phtml|phar|jspx?|aspx?|ashx|cfm)[\n\r\\]{1,4}$|\.(?:jpe?g|png|gif|bmp|webp|ico|pdf|mp4)\/[^/?]{1,40}\.(?:php\d?|phtml)$|\.(?:ya?ml|conf|ini|env|pem|key|log|sh|php\d?)\?[^/?]{0,12}$|(?:^|\/)(?:usr\/(?:share|local|lib)|var\/(?:www|log|lib))\/[^?]{1,200}\?/,
    {
      score: 5,
      places: ['path', 'file-name'],
      words: WORD.page | WORD.probe | WORD.file,
      attacks: [
        '/x.php\n',
        '/uploads/x.php\\',
        '/uploads/a.jpg/x.php',
        '/a/secret.yml?',
        '/html/usr/share/doc/hostname/copyright?',
      ],
      benign: [
        '/x.php',
        '/a.jpg/view',
        '/wiki/What_is_Node.js?',
        '/photos/a.jpg',
        '/wiki/usr/share',
        '/a.key',
      ],
    },
  ),
  pattern(
    'probe/exploit',
    /\/(?:vendor\/phpunit\/phpunit\/src\/util\/php\/eval-stdin|cgi-bin\/[^\s]{0,40}\.(?:sh|pl|cgi)[;|]|setup\.cgi\?|wls-wsat\/|_search\?source|struts2?-showcase|invoker\/(?:jmxinvoker|readonly)|tmui\/login\.jsp\/\.\.;|mgmt\/tm\/util\/bash|api\/jsonws\/invoke|thinkphp\/|dana-na\/\.\.|global-protect\/|remote\/fgt_lang\?|\+cscot\+|vpn\/\.\.\/|solr\/\w{1,24}\/(?:select|config)\?|console\/css\/%|@fs\/(?:etc|proc|root|home|[a-z]:)|@id\/__x00__(?!(?!file:|data:|https?:|[^?]{0,200}\.\.)(?:[a-z][a-z-]{2,40}:|vite\/)[\w/@:.-]{1,200}$))|\b(?:page|direct\/1)\/setupcompleted\b|\binvokefunction&function=|\bthink\\{1,2}app|\bxdebug_session_start=|=phpe9568f3[4-6]-d428-11d2-a769-00aa001acf42/,
    {
      score: 5,
      places: ['path', 'query', 'name', 'form', 'cookie'],
      words: WORD.probe,
      attacks: [
        '/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php',
        '/wls-wsat/CoordinatorPortType',
        '/index.php?s=/index/\\think\\app/invokefunction&function=call_user_func',
      ],
      benign: ['/vendor/list', '/search?source=web'],
    },
  ),
  pattern(
    'upload/file-name',
    /\.\s{0,16}(?:php\d{0,3}|phtml|phar|phps|phtm|pht|pgif|shtml|htaccess|jspx?|jsw|jsv|jspf|asp|aspx|ashx|asmx|cshtml|vbhtml|cer|asa|cfm|cfml|cfc|svc|soap|war|jsf|action|hta|user\.ini)[\s.]{0,120}(?:$|[;\u0000:/#?])|\.(?:php\d?|phtml|phar|pht)\.(?!(?:bak|orig|old|dist|sample|example|zip|gz|bz2|xz|tar|tgz|diff|patch|md|json|lock|x?html?|pdf|twig|stub|tpl|j2|tmpl|log|csv|xml|ya?ml|docx?|rst|po|save|swp)$)[\w-]{1,12}$|[\uff0e\u3002\u2024](?:php\d?|phtml|phar|jspx?|aspx?|cer|asa)$|^\.(?:htaccess|user\.ini|env)$|(?:^|\/)sess_[a-z0-9,-]{20,128}$|\.(?:php\d?|phtml|phar|jspx?|aspx?)(?:\.\w{1,6}){0,3}\.(?:jpe?g|png|gif|webp|svg|txt)$|web\.config$|^\.phar[/\\]|^wp-config[\s._-]{1,4}php|\\[a-z]\\|^["']?\.\.?[/\\]/,
    {
      score: 5,
      places: ['file-name'],
      attacks: [
        'shell .php',
        'photo. php',
        'photo.php ',
        'a.php..',
        'x/fda.php5',
        'wp-config_php.txt',
        'a.php.js.html.gif',
      ],
      benign: ['photo .jpg', 'my report.pdf', 'notes v1..docx', 'index.php.html.zip'],
    },
  ),
  pattern(
    'upload/file-name-plain',
    /^[^/\\\s]{0,120}\.(?:php\d{0,3}|phtml|phar|phps|pht|jspx?|jspf|aspx?|ashx|asmx|cshtml|vbhtml|cfml?|cfc|svc|soap|cgi|war|hta|shtml)$|^sess_[a-z0-9,-]{20,128}$|^[._]?config\.yml\s{0,4}$/,
    {
      score: 5,
      places: ['file-name'],
      attacks: ['a.php', 'shell.jsp', 'x.cshtml', 'sess_d8ew88tqmabdcokhumchy8htqm'],
      benign: ['photo.jpg', 'report.pdf', 'php.txt'],
    },
  ),
]
