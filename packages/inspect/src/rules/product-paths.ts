import { pattern, type Rule } from '../rule/rule.ts'
import { CHAR } from '../value/features.ts'
import { WORD } from '../value/words.ts'

/**
 * Addresses that one product answers and should not have: its set-up after it was set up, services between
 * its own parts, functions of its developers. No page links to them, and no client of an application asks.
 */
export const productPathRules: readonly Rule[] = [
  pattern(
    'probe/management-path',
    /\/(?:mifs\/(?:aad|asfv3|rs)\/api\/|tokens\/rpc2$|php\/utils\/(?:createremoteappwebsession|debug)\.php|setup\/setup[a-z-]{4,24}\.action$|json\/setup-restore(?:-\w{1,16})?\.action$|api\/v1\/totp\/user-backup-code|cgi-bin\/(?:export-cgi|kerbynet|mainfunction\.cgi|cstecgi\.cgi|webproc|login_mgr\.cgi|popen\.cgi|exportsettings\.sh|config\.exp$|hotspotlogin|rpc2|downloadcfg)|boafrm\/|device\.rsp$|onvif-http\/snapshot$|sdk\/weblanguage$|druid\/indexer\/v1\/sampler|scripttext$|ws\/v1\/cluster\/apps(?!\/application_\d{5,16}_\d{1,9}(?:\/\w{1,32}){0,4}\/?$)|v1\/submissions\/create|nacos\/v1\/(?:auth\/users|cs\/ops\/derby|console\/server\/state)|connector\.minimal\.php$|ajax\/render\/widget_[a-z_]{4,40}|_node\/[^/\s]{1,40}\/_config|_config\/query_servers|bea_wls_(?:deployment_)?internal\d?\/|ws_utc\/|jbossmq-httpil\/|struts\/webconsole|xmldata$|cfide\/(?:adminapi|administrator|componentutils)|cf_scripts\/[^\s]{0,80}\/filemanager\/|flex2gateway\/|messagebroker\/|getcfg\.php|hedwig\.cgi|pigwidgeon\.cgi|apply_sec\.cgi|tmunblock\.cgi|ping\.ccp|extension\/clientuploader\/|api\/v2\/cmdb\/system\/|vpns\/(?:portal|cfg)|gwtest\/formssso|ssl-vpn\/hipreport\.esp|mgmt\/(?:shared|tm)\/|metadatauploader$|ctc\/servlet|oa_html\/(?:bneuploaderservice|configurator\/uiservlet|syncservlet|help\/)|solr\/[^\s/]{1,60}\/(?:config|dataimport|debug\/dump|replication)$|ui\/(?:h5-vsan|vropspluginui)\/|eam\/vib$|analytics\/telemetry\/ph\/|casa\/nodes\/thumbprints|resttosaasservlet|lic\/accept$|gadgets\/makerequest|jmreport\/(?:queryfieldbysql|testconnection|loadtabledata)|oauth2\/\.\.;|ccversion\/|uapws\/|clusterrequest|remote_agent\.php|eval-stdin|onlineuploader|uploaderoperate\.jsp|servlet\/(?:filereceiveservlet|filemanageservlet)|webui\/logoutconfirm\.html|%2577?ebui|axis2\/services\/|adminservice$|invokerservlet|ncfindweb|[\w.-]{1,60}\.i18n\.ashx$|soap\.cgi$|service\.cgi$|excu_shell$|geoserver\/testwfspost$|api\/snapshots\/:key$|solr\/[^\s?]{0,80}:\/admin\/info\/key$|service\/~iufo\/)/,
    {
      score: 5,
      places: ['path'],
      words: WORD.probe,
      attacks: [
        '/mifs/aad/api/v2/authorized/users',
        '/app/rest/users/id:1/tokens/RPC2',
        '/json/setup-restore.action',
        '/setup/setupadministrator.action',
        '/ui/vropspluginui/rest/services/uploadova',
        '/cgi-bin/export-cgi',
        '/nacos/v1/auth/users',
        '/mgmt/shared/authn/login',
        '/web.config.i18n.ashx',
      ],
      benign: [
        '/setup/profile',
        '/api/tokens/rpc',
        '/cgi-bin/search',
        '/solr/shop/select',
        '/v1/submissions/12',
        '/analytics/telemetry',
        '/ws/v1/cluster/apps/application_1462754318084_0071/state',
      ],
    },
  ),
  // A public name behind a semicolon: a filter that lets all paths with it pass takes the rest for that page,
  // and a server of servlets drops it (Jakarta Servlet 6.0, section 3.5).
  pattern(
    'traversal/public-parameter',
    /^\/[^;=?]{0,200}[^;=?/];(?:swagger(?:-ui)?|i18n\w{0,24}|login|logout|index|static|public|assets?|resources?|webjars|css|js|images?|favicon|health|error|captcha|api-docs|doc|druid|actuator)(?:\.\w{1,5})?\/{0,2}$/,
    {
      score: 5,
      places: ['path'],
      chars: CHAR.semicolon,
      attacks: [
        '/dataSetParam/verification;swagger-ui/',
        '/API/pageUpload;i18ntranslation',
        '/admin;index.html',
        '/user/list;login',
      ],
      benign: [
        '/a;jsessionid=ABC',
        '/heroes;id=15;foo=bar',
        '/map;v=1',
        '/a;b/c',
        '/a;signal',
        '/ad;index=1',
      ],
    },
  ),
  // Names that parts of one product tell each other who somebody is with.
  pattern('probe/internal-name', /^(?:x-beresource|x-anonresource(?:-backend)?|x-rpsroutinginfo)$/, {
    score: 5,
    atStart: true,
    places: ['name'],
    words: WORD.probe,
    attacks: ['X-BEResource', 'X-AnonResource-Backend'],
    benign: ['resource', 'x-resource-id'],
  }),
]
