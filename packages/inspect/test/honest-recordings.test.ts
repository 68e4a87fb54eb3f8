import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

const ILLUSTRATOR = `<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
	<!ENTITY ns_ai "http://ns.adobe.com/AdobeIllustrator/10.0/">
	<!ENTITY ns_svg "http://www.w3.org/2000/svg">
]>
<svg version="1.1" xmlns:i="&ns_ai;" xmlns="&ns_svg;" width="32px"><path d="M0 0L10 10"/></svg>`

/** A drawing or a stylesheet that declares these entities. */
function declaring(entities: string, type = 'application/xml'): ReturnType<typeof posted> {
  return posted(type, `<?xml version="1.0"?><!DOCTYPE a [${entities}]><a>&b;</a>`)
}

const XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'

/** Kinds that stood in recorded traffic of public interfaces, and what stays an attack beside each. */
const KINDS: HonestKinds = {
  'entities that stand for characters or a namespace': {
    honest: [
      posted('image/svg+xml', ILLUSTRATOR),
      sent({ drawing: ILLUSTRATOR }),
      declaring('<!ENTITY nbsp "&#160;"> <!ENTITY copy "&#xA9;">'),
      declaring("<!ENTITY nbsp '&#160;'><!ENTITY trade '&#8482;'>"),
    ],
    attacks: [
      declaring('<!ENTITY b SYSTEM "file:///etc/passwd">'),
      declaring('<!ENTITY nbsp "&#160;"><!ENTITY b SYSTEM "http://x.example/">'),
      // Markup, an ampersand or a percent sign by number; one entity made of others; another namespace.
      declaring('<!ENTITY b "&#60;script>">'),
      declaring('<!ENTITY b "&#x3c;">'),
      declaring('<!ENTITY b "&#38;#60;">'),
      declaring('<!ENTITY % b "&#37;">'),
      declaring('<!ENTITY a "&#160;"><!ENTITY b "&a;&a;&a;&a;">'),
      declaring('<!ENTITY b "http://www.w3.org.x.example/">'),
      declaring('<!ENTITY b "http://ns.adobe.com/&a;">'),
      declaring('<!ENTITY b "Doe">'),
      asked('/s', { q: '<!DOCTYPE a [<!ENTITY b "&#160;">]>' }),
    ],
  },
  'what a drawing links to': {
    honest: [
      sent({ html: '<svg><a xlink:href="https://shop.example/"><text>x</text></a></svg>' }),
      sent({ html: '<svg><image xlink:href="//cdn.example/a.png"/></svg>' }),
      sent({ html: '<svg><image xlink:href="data:image/png;base64,iVBORw0KGgo="/></svg>' }),
      // Documents of other languages, also where they stand in a field or under the type of a form.
      filled({
        xml: `<order ${XLINK}><shop id="1" xlink:href="https://shop.example/api/1">1</shop></order>`,
      }),
      sent({ xml: `<order ${XLINK}><unit xlink:href="https://shop.example/api/2"/></order>` }),
      posted(
        'application/x-www-form-urlencoded',
        `<?xml version="1.0"?><order ${XLINK}><lang id="1" xlink:href="https://shop.example/api/1"/></order>`,
      ),
    ],
    attacks: [
      sent({ html: '<svg><use xlink:href="https://x.example/a.svg#b"/></svg>' }),
      sent({ html: '<svg><script xlink:href="//x.example/a.js"/></svg>' }),
      sent({ html: '<s:svg><s:use xlink:href="//x.example/a.svg#b"/></s:svg>' }),
      sent({ html: '<svg><animate xlink:href="https://x.example/a.svg#b"/></svg>' }),
      filled({ xml: `<order ${XLINK}><unit xlink:href="javascript:alert(1)"/></order>` }),
      filled({ xml: `<order ${XLINK}><unit xlink:href="data:text/html,x"/></order>` }),
      sent({ html: '<svg><a xlink:href="javascript:alert(1)">x</a></svg>' }),
      sent({ html: '<svg><a xlink:href="data:text/html,<script>alert(1)</script>">x</a></svg>' }),
      sent({ html: '<svg><image xlink:href="data:image/svg+xml,x"/></svg>' }),
    ],
  },
  'players of more providers': {
    honest: [
      sent({ html: '<iframe src="//cdn.embedly.com/widgets/media.html?src=a" width="1"></iframe>' }),
      filled({ html: '<iframe src="https://public.tableau.com/views/a"></iframe>' }),
      sent({ html: '<iframe src="https://my.matterport.com/show/?m=a"></iframe>' }),
    ],
    attacks: [
      sent({ html: '<iframe src="https://cdn.embedly.com.x.example/"></iframe>' }),
      sent({ html: '<iframe src="https://x.example/?embedly.com"></iframe>' }),
    ],
  },
  'paths that name what is mounted': {
    honest: [
      sent({ managedFields: { 'k:{"mountPath":"/var/run/secrets/tokens"}': { '.': {} } } }),
      sent({ Volumes: { '/var/lib/postgresql/data': {}, '/etc/nginx/conf.d': {} } }),
      sent({
        annotations: { 'kubeadm.alpha.kubernetes.io/cri-socket': 'unix:///run/containerd/containerd.sock' },
      }),
    ],
    attacks: [
      asked('/s', { '/var/log/x': '1' }),
      sent({ Volumes: { '/etc/passwd': {} } }),
      sent({ url: 'unix:///var/run/docker.sock' }),
      sent({ endpoint: 'unix:///var/run/docker.sock' }),
      asked('/s', { socket: 'unix:///var/run/docker.sock' }),
    ],
  },
  'a name behind a backslash in a path': {
    honest: [asked('/wiki/%5CA', {}), asked('/search/%5Cbar', {})],
    attacks: [asked('/%5Cadmin', {})],
  },
  'how long a text may be': {
    honest: [filled({ title: 'a'.repeat(101) }), filled({ description: 'b'.repeat(251) })],
    attacks: [filled({ user: 'a'.repeat(101) }), asked('/s', { id: '1'.repeat(300) })],
  },
  'a variable with the name of an attribute': {
    honest: [
      posted('text/html', "<p>x</p><code>var objectClass = t.attr('class')</code>"),
      posted('text/plain', 'var objectClass=e.target.name;return objectClass'),
    ],
    attacks: [asked('/s', { q: 'objectClass=*' }), asked('/s', { q: 'x)(objectClass=person' })],
  },
}

testKinds(KINDS)
