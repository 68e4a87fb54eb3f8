import type { ApprovalState } from './approval.ts'

/** What the pages of approvals say in one language. */
export interface ApprovalWords {
  readonly listTitle: string
  readonly title: string
  readonly nothing: string
  readonly who: string
  readonly what: string
  readonly reason: string
  readonly until: string
  readonly atMost: string
  readonly effect: string
  readonly sample: string
  readonly details: string
  readonly body: string
  readonly state: Readonly<Record<ApprovalState, string>>
  readonly repeat: string
  readonly note: string
  readonly approve: string
  readonly deny: string
  readonly cancel: string
  readonly all: string
}

/** Languages of the pages, as those of refusals. */
export const APPROVAL_WORDS: Readonly<Record<'en' | 'de' | 'es' | 'fr' | 'ja' | 'ar', ApprovalWords>> = {
  en: {
    listTitle: 'Waiting for your consent',
    title: 'Consent of a second person',
    nothing: 'Nothing is waiting for you.',
    who: 'Asked by',
    what: 'What would be done',
    reason: 'Reason given',
    until: 'Open until',
    atMost: 'Rows at most',
    effect: 'What it would change',
    sample: 'Some of the rows',
    details: 'The request in full',
    body: 'Its body',
    state: {
      pending: 'Nobody has decided yet.',
      approved: 'Approved.',
      denied: 'Denied.',
      used: 'Approved, and done.',
      expired: 'Expired: nobody decided in time.',
      cancelled: 'Withdrawn by the requester.',
    },
    repeat: 'Whoever asked can now send the same request again, once.',
    note: 'Note (optional)',
    approve: 'Approve',
    deny: 'Deny',
    cancel: 'Withdraw the request',
    all: 'All that is waiting',
  },
  de: {
    listTitle: 'Wartet auf Ihre Zustimmung',
    title: 'Zustimmung einer zweiten Person',
    nothing: 'Nichts wartet auf Sie.',
    who: 'Gefragt von',
    what: 'Was getan würde',
    reason: 'Angegebener Grund',
    until: 'Offen bis',
    atMost: 'Höchstens Zeilen',
    effect: 'Was sich ändern würde',
    sample: 'Einige der Zeilen',
    details: 'Die Anfrage im Einzelnen',
    body: 'Ihr Inhalt',
    state: {
      pending: 'Noch hat niemand entschieden.',
      approved: 'Genehmigt.',
      denied: 'Abgelehnt.',
      used: 'Genehmigt und ausgeführt.',
      expired: 'Abgelaufen: Niemand hat rechtzeitig entschieden.',
      cancelled: 'Von der fragenden Person zurückgezogen.',
    },
    repeat: 'Wer gefragt hat, kann dieselbe Anfrage jetzt noch einmal senden, ein einziges Mal.',
    note: 'Anmerkung (freiwillig)',
    approve: 'Genehmigen',
    deny: 'Ablehnen',
    cancel: 'Anfrage zurückziehen',
    all: 'Alles, was wartet',
  },
  es: {
    listTitle: 'Esperan su consentimiento',
    title: 'Consentimiento de una segunda persona',
    nothing: 'No hay nada que espere su decisión.',
    who: 'Solicitado por',
    what: 'Qué se haría',
    reason: 'Motivo indicado',
    until: 'Abierto hasta',
    atMost: 'Filas como máximo',
    effect: 'Qué cambiaría',
    sample: 'Algunas de las filas',
    details: 'La petición completa',
    body: 'Su cuerpo',
    state: {
      pending: 'Nadie ha decidido todavía.',
      approved: 'Aprobado.',
      denied: 'Rechazado.',
      used: 'Aprobado y realizado.',
      expired: 'Caducado: nadie decidió a tiempo.',
      cancelled: 'Retirado por quien lo solicitó.',
    },
    repeat: 'Quien lo solicitó puede enviar ahora la misma petición otra vez, una sola vez.',
    note: 'Nota (opcional)',
    approve: 'Aprobar',
    deny: 'Rechazar',
    cancel: 'Retirar la solicitud',
    all: 'Todo lo que espera',
  },
  fr: {
    listTitle: 'En attente de votre accord',
    title: 'Accord d’une seconde personne',
    nothing: 'Rien n’attend votre décision.',
    who: 'Demandé par',
    what: 'Ce qui serait fait',
    reason: 'Motif indiqué',
    until: 'Ouvert jusqu’au',
    atMost: 'Lignes au maximum',
    effect: 'Ce qui changerait',
    sample: 'Quelques-unes des lignes',
    details: 'La requête en détail',
    body: 'Son corps',
    state: {
      pending: 'Personne n’a encore décidé.',
      approved: 'Approuvé.',
      denied: 'Refusé.',
      used: 'Approuvé et exécuté.',
      expired: 'Expiré : personne n’a décidé à temps.',
      cancelled: 'Retiré par la personne qui l’a demandé.',
    },
    repeat: 'La personne qui l’a demandé peut maintenant renvoyer la même requête, une seule fois.',
    note: 'Remarque (facultative)',
    approve: 'Approuver',
    deny: 'Refuser',
    cancel: 'Retirer la demande',
    all: 'Tout ce qui attend',
  },
  ja: {
    listTitle: 'あなたの承認を待っています',
    title: '第二者による承認',
    nothing: '承認を待っているものはありません。',
    who: '依頼者',
    what: '実行される内容',
    reason: '依頼の理由',
    until: '期限',
    atMost: '最大行数',
    effect: '変更される内容',
    sample: '対象の行の例',
    details: 'リクエストの全容',
    body: '本文',
    state: {
      pending: 'まだ誰も決定していません。',
      approved: '承認されました。',
      denied: '拒否されました。',
      used: '承認され、実行されました。',
      expired: '期限切れ：期限までに決定されませんでした。',
      cancelled: '依頼者が取り下げました。',
    },
    repeat: '依頼者は同じリクエストを一度だけ送り直せます。',
    note: 'メモ（任意）',
    approve: '承認する',
    deny: '拒否する',
    cancel: '依頼を取り下げる',
    all: '待っているものすべて',
  },
  ar: {
    listTitle: 'في انتظار موافقتك',
    title: 'موافقة شخص ثانٍ',
    nothing: 'لا شيء في انتظارك.',
    who: 'مقدّم الطلب',
    what: 'ما الذي سيُنفَّذ',
    reason: 'السبب المذكور',
    until: 'مفتوح حتى',
    atMost: 'الحد الأقصى للصفوف',
    effect: 'ما الذي سيتغير',
    sample: 'بعض الصفوف',
    details: 'الطلب كاملاً',
    body: 'محتواه',
    state: {
      pending: 'لم يقرّر أحد بعد.',
      approved: 'تمت الموافقة.',
      denied: 'مرفوض.',
      used: 'تمت الموافقة والتنفيذ.',
      expired: 'انتهت المهلة: لم يقرّر أحد في الوقت المحدد.',
      cancelled: 'سحبه مقدّم الطلب.',
    },
    repeat: 'يمكن لمقدّم الطلب الآن إرسال الطلب نفسه مرة أخرى، مرة واحدة فقط.',
    note: 'ملاحظة (اختيارية)',
    approve: 'موافقة',
    deny: 'رفض',
    cancel: 'سحب الطلب',
    all: 'كل ما ينتظر',
  },
}
