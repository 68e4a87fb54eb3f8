import type { HonestRequest } from '../honest-sessions.ts'
import { agent, BASIC, BROWSER, COOKIE, digest, type Part, steps, turn, XML_TYPE } from './session-steps.ts'

const PROPFIND =
  '<?xml version="1.0" encoding="UTF-8"?><A:propfind xmlns:A="DAV:"><A:prop><A:current-user-principal/><A:resourcetype/></A:prop></A:propfind>'
const REPORT =
  '<?xml version="1.0" encoding="UTF-8"?><C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop><D:getetag/><C:calendar-data/></D:prop><D:href>/calendars/ann/team/1.ics</D:href></C:calendar-multiget>'
const ICS =
  'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Apple Inc.//iOS 18.0//EN\r\nBEGIN:VEVENT\r\nUID:1@x\r\nDTSTART;TZID=Europe/Berlin:20261101T090000\r\nSUMMARY:Team\\; select a table\\, lunch & union drinks\r\nRRULE:FREQ=WEEKLY;BYDAY=MO\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n'
const VCF =
  "BEGIN:VCARD\r\nVERSION:3.0\r\nN:O'Brien;Ann;;;\r\nFN:Ann O'Brien\r\nTEL;TYPE=CELL:+49 170 1234567\r\nEND:VCARD\r\n"

/** Calendars, contacts, files and uploads. */
export const FILE_SESSIONS: Readonly<Record<string, readonly HonestRequest[]>> = {
  'caldav iOS discovery and sync': [
    ...steps(12, 200, n => ({
      method: 'PROPFIND',
      target: turn(
        [
          '/.well-known/caldav',
          '/',
          '/principals/',
          '/calendar/dav/ann/user/',
          '/.well-known/carddav',
          '/principals/users/ann/',
        ],
        n,
      ),
      status: turn([404, 405, 401, 404, 404, 401], n),
      headers: agent('iOS/18.0 (22A3354) dataaccessd/1.0', ...XML_TYPE, 'Depth', '0'),
      body: PROPFIND,
    })),
    ...steps(
      10,
      200,
      () => ({
        method: 'PROPFIND',
        target: '/calendars/ann/',
        status: 207,
        headers: agent('iOS/18.0 dataaccessd/1.0', ...BASIC, ...XML_TYPE, 'Depth', '1'),
        body: PROPFIND,
      }),
      3_000,
    ),
    ...steps(
      60,
      50,
      n => ({
        method: 'REPORT',
        target: `/calendars/ann/team-${n % 5}/`,
        status: 207,
        headers: agent('iOS/18.0 dataaccessd/1.0', ...BASIC, ...XML_TYPE, 'Depth', '1'),
        body: REPORT,
      }),
      5_000,
    ),
    ...steps(
      60,
      50,
      n => ({
        method: 'PUT',
        target: `/calendars/ann/team/${digest(n, 32)}.ics`,
        status: n % 5 ? 201 : 412,
        headers: agent(
          'iOS/18.0 dataaccessd/1.0',
          ...BASIC,
          'Content-Type',
          'text/calendar',
          'If-None-Match',
          '*',
        ),
        body: ICS,
      }),
      8_000,
    ),
    ...steps(
      30,
      50,
      n => ({
        method: 'DELETE',
        target: `/calendars/ann/team/${digest(n, 32)}.ics`,
        status: n % 2 ? 204 : 404,
        headers: agent('iOS/18.0 dataaccessd/1.0', ...BASIC, 'If-Match', '"1"'),
      }),
      12_000,
    ),
  ],
  'carddav DAVx5 300 contacts': [
    ...steps(300, 40, n => ({
      method: 'PUT',
      target: `/addressbooks/ann/contacts/${digest(n, 32)}.vcf`,
      status: 201,
      headers: agent(
        'DAVx5/4.4.3-ose (2026/01/01; dav4jvm; okhttp/4.12.0) Android/15',
        ...BASIC,
        'Content-Type',
        'text/vcard; charset=utf-8',
      ),
      body: VCF,
    })),
    ...steps(
      100,
      40,
      n => ({
        target: `/addressbooks/ann/contacts/${digest(n, 32)}.vcf`,
        status: n % 3 ? 200 : 404,
        headers: agent('DAVx5/4.4.3-ose', ...BASIC),
      }),
      13_000,
    ),
  ],
  'nextcloud desktop': [
    ...steps(10, 100, n => ({
      target: turn(
        [
          '/status.php',
          '/ocs/v2.php/cloud/capabilities?format=json',
          '/index.php/avatar/ann/128',
          '/ocs/v2.php/apps/notifications/api/v2/notifications?format=json',
          '/remote.php/dav/',
        ],
        n,
      ),
      status: turn([200, 401, 404, 304, 401], n),
      headers: agent('Mozilla/5.0 (Linux) mirall/3.14.0 (Nextcloud, ubuntu-6.8)', 'OCS-APIRequest', 'true'),
    })),
    ...steps(
      120,
      50,
      n => ({
        method: 'PROPFIND',
        target: `/remote.php/dav/files/ann/Documents/folder%20${n}`,
        status: 207,
        headers: agent('mirall/3.14.0', ...BASIC, ...XML_TYPE, 'Depth', '1'),
        body: PROPFIND,
      }),
      1_500,
    ),
    ...steps(
      60,
      60,
      n =>
        ({
          method: n % 2 ? 'PUT' : 'MKCOL',
          target:
            n % 2
              ? `/remote.php/dav/uploads/ann/${digest(n, 10)}/${String(n).padStart(15, '0')}`
              : `/remote.php/dav/uploads/ann/${digest(n, 10)}`,
          status: n % 7 ? 201 : 423,
          headers: agent('mirall/3.14.0', ...BASIC, 'Content-Type', 'application/octet-stream'),
          body: n % 2 ? 'x'.repeat(500) : undefined,
        }) as Part,
      8_000,
    ),
    ...steps(
      20,
      60,
      n => ({
        method: 'MOVE',
        target: `/remote.php/dav/uploads/ann/${digest(n, 10)}/.file`,
        status: 201,
        headers: agent(
          'mirall/3.14.0',
          ...BASIC,
          'Destination',
          `https://shop.example/remote.php/dav/files/ann/a%20${n}.bin`,
          'OC-Total-Length',
          '1000',
        ),
      }),
      12_000,
    ),
    ...steps(
      20,
      60,
      n =>
        ({
          method: n % 2 ? 'UNLOCK' : 'LOCK',
          target: `/remote.php/dav/files/ann/a%20${n}.odt`,
          status: 200,
          headers: agent(
            'LibreOffice',
            ...BASIC,
            ...XML_TYPE,
            'Timeout',
            'Second-180',
            ...(n % 2 ? ['Lock-Token', '<opaquelocktoken:1>'] : []),
          ),
          body:
            n % 2
              ? undefined
              : '<?xml version="1.0" encoding="UTF-8"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype></lockinfo>',
        }) as Part,
      14_000,
    ),
  ],
  'tus uploads': [
    ...steps(20, 100, n => ({
      method: 'POST',
      target: '/files/',
      status: 201,
      headers: [
        ...BROWSER,
        'Tus-Resumable',
        '1.0.0',
        'Upload-Length',
        '5000',
        'Upload-Metadata',
        `filename cmVwb3J0LnBkZg==,filetype YXBwbGljYXRpb24vcGRm,n ${n}`,
      ],
    })),
    ...steps(
      200,
      60,
      n => ({
        method: n % 10 ? 'PATCH' : 'HEAD',
        target: `/files/${digest(n % 20, 32)}`,
        status: n % 10 ? 204 : 200,
        headers: [
          ...BROWSER,
          'Tus-Resumable',
          '1.0.0',
          'Upload-Offset',
          `${n * 100}`,
          ...(n % 10 ? ['Content-Type', 'application/offset+octet-stream'] : []),
        ],
        ...(n % 10 && { body: "\u0000' OR 1=1 {{7*7}}" }),
      }),
      2_500,
    ),
  ],
  'dropzone chunks': steps(120, 60, n => ({
    method: 'POST',
    target: '/upload',
    headers: [
      ...BROWSER,
      ...COOKIE,
      'Content-Type',
      'multipart/form-data; boundary=----WebKitFormBoundaryabc',
    ],
    body: `------WebKitFormBoundaryabc\r\nContent-Disposition: form-data; name="dzchunkindex"\r\n\r\n${n}\r\n------WebKitFormBoundaryabc\r\nContent-Disposition: form-data; name="file"; filename="IMG_${n} (1).jpg"\r\nContent-Type: image/jpeg\r\n\r\n\u00ff\u00d8\u00ff\u00e0 JFIF\r\n------WebKitFormBoundaryabc--\r\n`,
  })),
  'resumable.js tests': steps(120, 50, n => ({
    target: `/upload?resumableChunkNumber=${n}&resumableChunkSize=1048576&resumableCurrentChunkSize=1048576&resumableTotalSize=99999999&resumableType=video%2Fmp4&resumableIdentifier=99999999-clipmp4&resumableFilename=clip.mp4&resumableRelativePath=clip.mp4&resumableTotalChunks=120`,
    status: n % 2 ? 404 : 204,
  })),
  's3 client': steps(200, 40, n => ({
    method: turn(['HEAD', 'PUT', 'GET', 'POST'], n),
    target: turn(
      [
        `/bucket/key%20${n}`,
        `/bucket/key?partNumber=${n}&uploadId=abc`,
        '/bucket/?list-type=2&prefix=logs%2F2026%2F&delimiter=%2F',
        '/bucket/?delete=',
      ],
      n,
    ),
    status: turn([404, 200, 200, 200], n),
    headers: agent(
      'aws-sdk-js/3.600 Boto3/1.35',
      'Authorization',
      'AWS4-HMAC-SHA256 Credential=AK/20260131/eu/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=abc',
      'X-Amz-Content-Sha256',
      'UNSIGNED-PAYLOAD',
      'Content-Type',
      n % 4 === 3 ? 'application/xml' : 'application/octet-stream',
    ),
    ...(n % 4 === 3 && {
      body: '<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a/../b</Key></Object></Delete>',
      content: 'may be refused' as const,
    }),
    ...(n % 4 === 1 && { body: 'x\u0000y' }),
  })),
  'jellyfin and home assistant': steps(200, 60, n => ({
    target: turn(
      [
        `/Items/${digest(n, 32)}/Images/Primary?fillHeight=267&fillWidth=178&quality=96&tag=${digest(n, 32)}`,
        `/Users/${digest(1, 32)}/Items/${digest(n, 32)}`,
        '/api/states',
        `/api/camera_proxy/camera.door?token=${digest(n)}`,
        `/Videos/${digest(n, 32)}/Trickplay/320/${n}.jpg`,
      ],
      n,
    ),
    status: turn([404, 200, 200, 200, 404], n),
    headers: [
      ...BROWSER,
      'X-Emby-Authorization',
      'MediaBrowser Client="Jellyfin Web", Device="Firefox", DeviceId="abc", Version="10.10.1", Token="t"',
    ],
  })),
  'file share downloads': steps(60, 300, n => ({
    target: `/s/abc/download?path=%2FBackup&files=${turn(['dump.sql', 'backup.zip', 'site.tar.gz', 'id_rsa.pub', 'old.bak', 'web.config'], n)}`,
    headers: BROWSER,
    content: 'may be refused',
  })),
}
