import { asked, filled, type HonestKinds, posted, sent, testKinds } from './honest-kinds.ts'

/** A build file of Maven, as it is sent to a repository. */
function build(inside: string): ReturnType<typeof posted> {
  return posted(
    'application/xml',
    `<?xml version="1.0"?><project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>${inside}</project>`,
  )
}

/** What build files and lists of components say, and what stays an attack beside it. */
const KINDS: HonestKinds = {
  'a module that a plugin of Vite makes up': {
    honest: [
      asked('/@id/__x00__virtual:/@storybook/builder-vite/setup-addons.js', {}),
      asked('/@id/__x00__virtual:admin/setup.js', { t: '1764520000' }),
      asked('/base/@id/__x00__plugin-vue:export-helper', {}),
    ],
    attacks: [
      asked('/@id/__x00__/home/ann/setup.js', {}),
      asked('/@id/__x00__/home/ann/.env', {}),
      asked('/@id/__x00__file:///home/ann/setup.js', {}),
      asked('/@id/__x00__virtual:/etc/passwd', {}),
      asked('/@id/__x00__virtual:../../setup.js', {}),
    ],
  },
  'packages of Java by name': {
    honest: [
      build('<dependency><groupId>org.codehaus.mojo</groupId><artifactId>x</artifactId></dependency>'),
      build('<Export-Package>org.jboss.weld</Export-Package>'),
      build('<mainClass>org.codehaus.plexus.classworlds.launcher.Launcher</mainClass>'),
      sent({ components: [{ group: 'org.springframework', name: 'spring-core' }] }),
      sent({ ref: 'org.apache.commons' }),
    ],
    attacks: [
      asked('/s', { name: 'org.apache.commons' }),
      filled({ value: 'java.lang.Runtime' }),
      sent({ value: 'org.springframework.context.support.FileSystemXmlApplicationContext' }),
      posted('application/xml', '<a><b>javax.script.ScriptEngineManager</b></a>'),
    ],
  },
  'packages of the runtime': {
    honest: [
      build('<Import-Package>com.sun.org.apache.xerces.internal.jaxp</Import-Package>'),
      build('<groupId>com.opensymphony.xwork2</groupId><artifactId>com.sun.jndi</artifactId>'),
      build('<configuration><exclude>com.sun.jmx</exclude></configuration>'),
      sent({ exports: ['java.lang.reflect', 'com.sun.org.apache.xpath.internal'] }),
      sent({ package: 'java.lang.reflect' }),
      sent({ nodes: [{ id: 'java.lang.reflect', label: 'java.lang.reflect' }] }),
      sent({ logger: 'com.opensymphony.xwork2' }),
      sent({ message: 'at com.sun.org.apache.xerces.internal.parsers (unknown source)' }),
    ],
    attacks: [
      sent({ test: 'com.sun.org.apache' }),
      posted('application/xml', '<a><b>com.opensymphony.xwork2</b></a>'),
      posted('application/xml', '<a><b>java.lang.processbuilder</b></a>'),
      asked('/s', { q: 'java.lang.reflect' }),
    ],
  },
  'properties of a build': {
    honest: [
      build('<properties><java.version>17</java.version><java.home>/x</java.home></properties>'),
      build('<source>${java.version}</source><d>${java.io.tmpdir}/a</d><e>${config.directory}</e>'),
    ],
    attacks: [
      posted('application/xml', '<map><java.lang.ProcessBuilder><command/></java.lang.ProcessBuilder></map>'),
      posted('application/xml', '<java.util.PriorityQueue><x/></java.util.PriorityQueue>'),
      posted('application/xml', '<a>${java.lang.Runtime}</a>'),
      sent({ name: "${''.class.forName('x')}" }),
      sent({ name: '{{config.items()}}' }),
      asked('/s', { q: '#{java.util.Scanner}' }),
    ],
  },
  'files in an archive of Java': {
    honest: [build('<include>META-INF/LICENSE</include>'), sent({ resources: ['META-INF/services/x'] })],
    attacks: [asked('/s', { file: '/META-INF/MANIFEST.MF' }), sent({ file: '/WEB-INF/web.xml' })],
  },
}

testKinds(KINDS)
