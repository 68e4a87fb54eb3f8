// Held, not looked up: see CONTRIBUTING.md.
const { charCodeAt } = String.prototype
/**
 * Words that make it worth running a family's rules. A word alone never decides anything: it opens a gate,
 * and the lexers behind it
 * look at structure. A word may open several gates.
 */
export const WORD = {
  sqlVerb: 0x1,
  sqlLogic: 0x2,
  sqlName: 0x4,
  shell: 0x8,
  /** Functions of PHP that an attack calls. */
  call: 0x10,
  script: 0x20,
  markup: 0x40,
  php: 0x80,
  java: 0x100,
  lookup: 0x200,
  prototype: 0x400,
  file: 0x800,
  runtime: 0x1000,
  directory: 0x2000,
  mail: 0x4000,
  host: 0x8000,
  entity: 0x10000,
  scanner: 0x20000,
  handler: 0x40000,
  header: 0x80000,
  windows: 0x100000,
  probe: 0x200000,
  page: 0x400000,
  session: 0x800000,
  /** What Ruby, Perl and JavaScript start programs with. */
  process: 0x1000000,
  powershell: 0x2000000,
  /** What a query in JavaScript is written with. */
  mongo: 0x4000000,
  /** Functions and procedures that only an injected query calls. */
  sqlCall: 0x8000000,
  /** `0x2e0x2e`: dots as numbers, run together into one word. */
  hexPath: 0x10000000,
  /** With what a database reaches files, programs and addresses of its server. */
  sqlServer: 0x20000000,
  /**
   * No word: space at the start or the end, several signs of it in a row or a tab, some
   * inside of a bracket or before a dot. Most texts have none.
   */
  spaced: 0x40000000,
} as const

const LISTS: readonly (readonly [number, string])[] = [
  [
    WORD.sqlVerb,
    'select insert update delete drop alter create truncate replace exec execute declare waitfor union having procedure merge call ' +
      'shutdown grant revoke rename handler load begin commit rollback limit order group where iif print backup restore dbcc use values ' +
      'prepare attach uunionnion ununionion uniunionon uniounionn sselectelect seselectlect selselectect seleselectct selecselectt ' +
      'ffromrom frfromom frofromm wwherehere whwhereere whewherere wherwheree',
  ],
  [
    WORD.sqlLogic,
    'or and xor like rlike regexp between div mod not in is exists sounds similar collate case when as',
  ],
  [
    WORD.sqlName,
    'msysaces sleep benchmark pg_sleep concat concat_ws group_concat char chr ascii substring substr mid hex unhex version user ' +
      'database schema information_schema sysobjects syscolumns sysusers sysdatabases sysibm pg_catalog pg_user pg_shadow msysobjects msysaccessobjects all_tables user_tables ' +
      'xp_cmdshell xp_dirtree xp_regread sp_executesql sp_password sp_makewebtask openrowset opendatasource load_file outfile dumpfile extractvalue updatexml ' +
      'elt make_set randomblob zeroblob dbms_pipe dbms_lock utl_http utl_inaddr ctxsys cast convert coalesce nullif ifnull length rand floor row_count sysdate ' +
      'current_database sqlite_version md5 sha1 compress uncompress encode decode ord pow cos sin tan exp name_const generate_series regexp_substring crypt_key ' +
      'schema_name db_name msdb northwind tempdb sqlite_master mysql dual rdb domain json_keys json_extract json_depth json_value jsonb json current_user ' +
      'session_user system_user null sysmaster xmltype lower upper count delay time analyse aes_decrypt unistr jsonb_pretty sqlite_schema all_users',
  ],
  [
    WORD.shell,
    'calc dmesg cat ls id whoami uname wget curl bash sh zsh ksh csh dash nc ncat netcat ping nslookup dig ifconfig ipconfig netstat chmod chown ' +
      'rm mv cp touch ps kill perl python python3 ruby php node awk sed grep egrep tac rev head tail more less sort uniq cut tr xxd od ' +
      'echo printf eval exec env export set alias sleep find locate which tee sudo su passwd useradd adduser mount df du free top htop ' +
      'getent hostname host telnet ssh scp ftp tftp rsync base64 openssl gcc make cc vi vim nano ed cmd powershell type dir del copy ' +
      'move net reg tasklist systeminfo certutil bitsadmin wmic mshta rundll32 regsvr32 cscript wscript start call goto rename for if ' +
      'time strace ltrace nohup nice watch timeout xargs schtasks busybox crontab at systemctl service iptables route arp tcpdump lsof who w last ' +
      'nltest dsquery gpresult netsh nbtstat lastlog comm diff paste expr seq yes true false test cd pwd mkdir rmdir ln tar gzip gunzip zip unzip bzip2 xz dd ansible ' +
      'docker kubectl apt yum pip npm gem lua tclsh socat mknod mkfifo visudo rmt stat file strings source read history wc jobs fg bg ' +
      'finger ip ss mysql psql sqlite3 git svn visudo shutdown reboot halt init poweroff invoke iex telnetd utelnetd dropbear ext printenv choice',
  ],
  [
    WORD.script,
    'execscript globaleval getscript alert confirm prompt print eval document window javascript vbscript livescript mocha cookie location innerhtml outerhtml settimeout setinterval ' +
      'fromcharcode constructor function atob fetch xmlhttprequest import importscripts self top parent globalthis frames onerror throw expression ' +
      'reflect array cookiestore localstorage sessionstorage console write writeln open srcdoc src href data srcset xlink formaction string msgbox behavior binding url',
  ],
  [
    WORD.markup,
    'title noscript xmp script iframe frame frameset object embed applet meta link style base form input svg math body html img image video audio ' +
      'xml isindex bgsound layer ilayer marquee details template textarea button select table td div import foreignobject animate set use',
  ],
  [
    WORD.php,
    'zlib_decode http_raw_post_data http_get_vars http_post_vars http_cookie_vars http_server_vars php phpinfo system passthru shell_exec popen proc_open assert create_function preg_replace base64_decode gzinflate str_rot13 ' +
      'gzuncompress call_user_func call_user_func_array include include_once require require_once file_get_contents file_put_contents fopen ' +
      'readfile move_uploaded_file _get _post _request _server _cookie _files _session _env globals php_uname phpversion getenv putenv ini_set ini_get auto_prepend_file auto_append_file ' +
      'allow_url_include allow_url_fopen disable_functions open_basedir pcntl_exec ob_start array_map usort chr strrev print_r var_dump ' +
      'guzzlehttp monolog illuminate symfony swift yii zend_log imagick splfileobject craft _fn_close __construct array_filter array_map print die exit phpunit wp_insert_user wp_create_user wp_update_user wp_delete_user wp_set_password wp_set_auth_cookie',
  ],
  [
    WORD.java,
    'json_class serverstatusdiffinterceptor qos java dynamic ljava lljava ljavax lorg lcom javax javassist runtime processbuilder getruntime getclass forname classloader opensymphony xwork2 ognl springframework ' +
      'reflectutils getsystemclassloader memberaccess _memberaccess aced0005 aaeaaad ro0ab ro0abq ro0abx ro0abxny ro0abxnyab jmxconfigurator mbeanfactory diagnosticcommand flightrecorder hotspotdiagnostic maindeployer com org clonetransformer instantiatefactory instantiatetransformer invokertransformer prototypeclonefactory ' +
      'prototypeserializationfactory constanttransformer chainedtransformer lazymap templatesimpl badattributevalueexp annotationinvocationhandler ' +
      'jdbcrowsetimpl methodclosure convertedclosure beanshell fileuploadgadget whileclosure forclosure scriptenginemanager freemarker velocity groovy actioncontext classmodule class module ' +
      'totalscollector collectorlist totalcollector dataisurl objectdataprovider expandedwrapper resourcedictionary assemblyinstaller sortedset activitysurrogateselector textformattingrunproperties typeconfusedelegate psobject z ' +
      'windowsidentity pscredential system jdbc init autodeserialize jdk sun groovy xmldecoder beans __type __class javaclass classname mysql mchange zaxxer oracle socketfactory execute grab grabconfig grabresolver asttest python async weblogic bsh jakarta clojure ognlutil ognlcontext getdeclaredmethod jndiloginmodule trigger erlang getservletcontext',
  ],
  [WORD.lookup, 'jndi ldap ldaps rmi dns iiop corba nis env sys lower upper ctx'],
  [
    WORD.prototype,
    '__proto__ __pro__proto__to__ prototype constructor __construct __destruct __wakeup __call __callstatic __invoke __definegetter__ __definesetter__ __lookupgetter__',
  ],
  [
    WORD.file,
    'struts applicationcontext id_dsa id_ecdsa id_ed25519 web tomcat etc inetpub passwd shadow proc boot win windows winnt system32 htaccess htpasswd ssh id_rsa web_inf inf meta_inf log logs var ini file expect glob phar zlib ' +
      'zip filter input wp config env git svn bash_history dev tmp secrets usr opt sys xampp aws webapps',
  ],
  [
    WORD.runtime,
    'pickle cpickle modules __send__ public_send _g redis debug pty lookup require process child_process io package loadstring module exports mainmodule global __import__ subprocess os __class__ __globals__ __builtins__ __mro__ __bases__ __subclasses__ __reduce__ popen ' +
      '__unhandled_exc__ __reduce_ex__ execsync spawn spawnsync nd_func while sleep compile exec open import kernel erb __init__ getattr lambda settimeout binding res end readdirsync readfilesync qx instance_eval globals for builtins posix',
  ],
  [
    WORD.directory,
    'unicodepwd ldapdisplayname uid cn ou dc objectclass userpassword mail sn givenname samaccountname memberof',
  ],
  [
    WORD.mail,
    'rcpt mail fetch capability helo ehlo vrfy expn bcc cc quit login logout examine starttls auth noop subject content nbcc ncc nto nsubject reply',
  ],
  [
    WORD.host,
    'localhost localdomain localhost4 localhost6 metadata internal gopher dict file ftp sftp tftp ldap jar netdoc localtest lvh nip xip sslip burpcollaborator interact ' +
      'interactsh oast requestbin http https ws wss oast oastify dnslog ceye bxss xss canarytokens webhook pipedream ' +
      'rmi iiop corbaname ldapi npipe local_file mhtml phar expect ogg rar bundleresource pop3 pop3s nfs afp view netdoc wyciwyg jmx ip6 loopback kubernetes svc cluster computemetadata 127 169 192 100 0xa9fea9fe 2852039166 0251 fd00 fd20 fe80 168 a9fe latest instance unix telnet imap smb ldaps smtp svn redis mongodb mysql rbndr rebind rebinder 1u',
  ],
  [
    WORD.entity,
    'saxon lxslt unparsed doctype entity system public xinclude include xi schemalocation schema nonamespaceschemalocation ' +
      'nameid xsl msxsl xalan xslt stylesheet xlink document',
  ],
  [
    WORD.scanner,
    'libwww burpcollaborator stealth customcrawler nacos sqlmap nikto nmap masscan nuclei acunetix netsparker nessus openvas burp burpsuite zap wpscan dirbuster gobuster dirb ffuf wfuzz feroxbuster ' +
      'arachni w3af skipfish havij hydra jaeles xsser commix whatweb zgrab fuzz fuzzer fool wapiti vega appscan webinspect qualys detectify fimap joomscan metasploit paros ' +
      'grendel zmeu morfeus jorgee muieblackcat brutus hexometer sysscan scanner grabber webshag arachni interactsh crowdsec blackwidow absinthe pangolin bsqlbf bilbo cgichk cobalt sqlninja webvulnscan mysqloit l9explore l9tcpid whisker uil2pn',
  ],
  [
    WORD.header,
    'set_cookie location content_type content_length http transfer_encoding cookie chunked xchunked',
  ],
  [
    WORD.probe,
    'secret dauto_prepend_file dauto_append_file dallow_url_include ddisable_functions dopen_basedir telemetry excu_shell exe ps1 testwfspost snapshots iufo git svn hg bzr env htaccess htpasswd bash_history ssh aws docker kube npmrc netrc pgpass ds_store idea vscode aider junie claude cursor gnupg mysql_history ' +
      'zsh_history viminfo subversion wp dockercfg pypirc vault boto s3cfg gcloud python_history node_repl_history irb_history psql_history profile bashrc zshrc debug ' +
      'laravel inf msl ephemeral mvg label caption pango phpmyadmin pma myadmin adminer phpinfo php_info phpversion _profiler elmah axis2 ld_preload ld_library_path ld_audit bash_env perl5opt perl5lib perl5db pythonstartup pythonpath pythoninspect pythonwarnings rubyopt rubylib node_options gconv_path java_tool_options _java_options phprc php_ini_scan_dir php_value php_admin_value git_ssh_command git_proxy_command git_external_diff git_askpass javaagent onoutofmemoryerror onerror loader rcfile oproxycommand askpass yml yaml dyld_insert_libraries server cgi actuator vendor solr manager jmx hnap1 boaform _ignition telescope ecp owa sys proc etc backup ' +
      'dump database db site www id_rsa id_dsa id_ed25519 compose composer package yarn config privkey old bak swp orig save inc sql mdb conf cfg ini log pem key ' +
      'p12 pfx jks dbf dat cs csproj vb vbs licx resx pol pwd rdb webinfo xsd printer dos cmd com bat lnk idq htr htw ida idc cdx asa cer axd asax dll setup wls credentials secrets appsettings gitlab dockerenv pprof c99 r57 wso travis cvs ' +
      'autodiscover setupwizard webui_wsma webui_wsma_http jolokia hsqldb goform gponform ctrlt picsdesc _async uddiexplorer fileserver descriptorbyname saml20 jarrewrite ' +
      'account_mgr nas_sharing supportinstaller bsh bshservlet ztp _layouts phpunit userportal functionrouter webtools mboximport tinymce guestaccess moveitisapi ispirit seeyon ' +
      'ueditor bootstrapstatusprovider silock spring _method dataisurl defaultdata post_render pre_render lazy_builder access_callback markup settings pipe zerodiumsystem ' +
      'auto_prepend_file allow_url_include force_redirect _filename mapi ews rpc powershell element_parents autodiscover ' +
      'configpath templatespath define extra disable_functions safe_mode suhosin open_basedir cgi graphic _search struts struts2 invoker tmui mgmt jsonws thinkphp dana remote cscot vpn console invokefunction think xdebug_session_start xdebug_session_stop b374k setupcompleted logging eureka management ' +
      'mifs rpc2 createremoteappwebsession setupadministrator totp kerbynet mainfunction cstecgi webproc login_mgr exportsettings hotspotlogin downloadcfg boafrm rsp onvif weblanguage druid scripttext cluster submissions nacos widget_tabbedcontainer_tab_panel _config ' +
      'bea_wls_internal bea_wls_deployment_internal ws_utc jbossmq webconsole xmldata cfide cf_scripts flex2gateway messagebroker getcfg hedwig pigwidgeon apply_sec tmunblock ccp clientuploader cmdb vpns gwtest hipreport metadatauploader ctc oa_html ' +
      'vsan vropspluginui vib casa resttosaasservlet lic makerequest jmreport ccversion uapws clusterrequest remote_agent onlineuploader uploaderoperate filereceiveservlet filemanageservlet logoutconfirm axis2 adminservice invokerservlet ncfindweb anonresource beresource rpsroutinginfo stdin oauth2 soap service connector setup i18n administrator wp_capabilities wp_user_level users_can_register default_role wp_user_roles',
  ],
  [
    WORD.page,
    'asmx php php3 php4 php5 php7 php8 phtml phar phps jsp jspx asp aspx ashx cfm cfml war hta shtml txt',
  ],
  [
    WORD.session,
    'session sessionid session_id sessid sess sid jsessionid phpsessid phpsession phpsess aspsessionid cfid cftoken cfsid meteor_login_token koa rack connect express ' +
      'weblogicsession siteserver _rails_session rails_session zend_session_id zendsessionid usersession websession play_session ci_session laravel_session symfony',
  ],
  [
    WORD.windows,
    'dde msexcel for if goto errorlevel defined invoke exist equ neq lss leq gtr geq powershell pwsh cmd downloadstring bitstransfer executionpolicy wmiobject ciminstance childitem ' +
      'frombase64string comspec systemroot windir object system net process content calc notepad mspaint',
  ],
  [
    WORD.call,
    'phpcredits phpversion system passthru shell_exec popen proc_open pcntl_exec exec assert eval create_function call_user_func call_user_func_array ' +
      'preg_replace base64_decode gzinflate gzuncompress gzdecode zlib_decode str_rot13 file_get_contents file_put_contents ' +
      'move_uploaded_file phpinfo php_uname readfile show_source highlight_file putenv ini_set ini_get dl fopen fputs fwrite symlink ' +
      'chmod chown unlink rmdir scandir opendir parse_ini_file var_dump print_r ob_start array_map usort include include_once require ' +
      'require_once unserialize getenv posix_getpwuid curl_exec curl_init mail error_log session_start extract parse_str bzdecompress',
  ],
  [
    WORD.process,
    'core expect sshcommand gitproxy fsmonitor uploadpack diff protocol alias root froot gem deno bun kernel io process file open3 perl socket posix function processbuilder erb open qx instance_eval dir system exec require stdio ' +
      'sys shell cmd subprocess shell_exec shellexec run_shell_command execute execute2 execute_capture execute_throw execute_nothrow execute_raw',
  ],
  [
    WORD.powershell,
    'invoke powershell pwsh cmd downloadstring bitstransfer executionpolicy wmiobject ciminstance childitem frombase64string comspec systemroot windir ' +
      'username object net process content reg echo iwmi icim',
  ],
  [
    WORD.mongo,
    'db this function return startswith password__startswith password__istartswith password__contains password__icontains ' +
      'password__regex password__iregex password__gt password__gte password__lt password__lte reset_token__startswith ' +
      'password__endswith password__iendswith password__ne password__range reset_token__contains reset_token__regex ' +
      'reset_token__gt reset_token__lt reset_token__endswith api_key__contains api_key__regex ' +
      'api_key__startswith secret__startswith password_hash__startswith',
  ],
  [
    WORD.sqlCall,
    'extractvalue updatexml concat concat_ws group_concat char chr ascii substring substr mid unhex hex cast convert version datadir ' +
      'hostname basedir version_compile_os servername global session sleep pg_sleep benchmark waitfor procedure load_file outfile ' +
      'dumpfile lo_import pg_read_file openrowset opendatasource xp_cmdshell xp_dirtree xp_regread xp_regwrite xp_fileexist ' +
      'xp_servicecontrol xp_enumdsn xp_availablemedia xp_loginconfig xp_makecab xp_ntsec xp_terminate sp_executesql sp_password ' +
      'sp_makewebtask sp_oacreate sp_addextendedproc sp_execute_external_script sp_configure utl_http utl_inaddr utl_file dbms_java ' +
      'dbms_ldap dbms_xmlgen dbms_export_extension dbms_pipe dbms_lock ctxsys hashbytes fn_varbintohexstr fn_sqlvarbasetostr',
  ],
  [
    WORD.sqlServer,
    'sqlj syscs_util program soname language alias shellfs httpfs load_extension lo_export pg_ls_dir pg_read_binary_file pg_stat_file pg_file_write pg_logdir_ls dblink dblink_connect dblink_exec ' +
      'sys_eval sys_exec sys_get sys_set query_to_xml query_to_xml_and_xmlschema database_to_xml database_to_xmlschema table_to_xml ' +
      'httpuritype read2clob hexec file_read file_write openxml bulk current_setting extension dbms_xslprocessor dbms_scheduler ' +
      'dbms_advisor dbms_xmlquery dbms_sql dbms_utility xp_cmdshell read_text read_blob read_csv read_csv_auto read_parquet ' +
      'slaveof replicaof',
  ],
]

/** One step of the hash that `scanFeatures` computes while it reads a word. */
export function hashStep(hash: number, lowerCode: number): number {
  return Math.imul(hash ^ lowerCode, 0x01000193)
}

/** Where a hash starts (FNV-1a). */
export const HASH_SEED: number = 0x811c9dc5 | 0

const SLOTS = 4096
const keys = new Int32Array(SLOTS)
const gates = new Int32Array(SLOTS)

for (const [gate, list] of LISTS) {
  for (const word of list.split(' ')) {
    let hash = HASH_SEED
    for (let i = 0; i < word.length; i++) hash = hashStep(hash, charCodeAt.call(word, i))
    let slot = hash & (SLOTS - 1)
    while (keys[slot] !== 0 && keys[slot] !== hash) slot = (slot + 1) & (SLOTS - 1)
    keys[slot] = hash
    gates[slot] = (gates[slot] as number) | gate
  }
}

/** The gates a word opens, by its hash. Two words with one hash cost a look, never a wrong verdict. */
export function gatesOf(hash: number): number {
  let slot = hash & (SLOTS - 1)
  for (;;) {
    const key = keys[slot] as number
    if (key === hash) return gates[slot] as number
    if (key === 0) return 0
    slot = (slot + 1) & (SLOTS - 1)
  }
}
