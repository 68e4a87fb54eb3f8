import type { RefusalLanguage } from '@postern/core'

/** What the page says whose script solves a puzzle. */
export interface ChallengeWords {
  readonly title: string
  /** While it works. */
  readonly working: string
  readonly noScript: string
  /** The address cannot be loaded again without sending something twice. */
  readonly goBack: string
  readonly stays: string
  readonly number: string
}

export const CHALLENGE_WORDS: Readonly<Record<RefusalLanguage, ChallengeWords>> = {
  en: {
    title: 'One moment',
    working:
      'Your browser is solving a small puzzle, because of unusual traffic from your network. This takes a few seconds.',
    noScript: 'This needs JavaScript. Please switch it on for this site, or try again later.',
    goBack: 'Done. Please go back and send it again.',
    stays: 'If this page stays, send this number to the people who run this site.',
    number: 'Request number',
  },
  de: {
    title: 'Einen Moment bitte',
    working:
      'Ihr Browser löst eine kleine Aufgabe, weil aus Ihrem Netz ungewöhnlich viele Anfragen kommen. Das dauert ein paar Sekunden.',
    noScript:
      'Dafür wird JavaScript gebraucht. Bitte schalten Sie es für diese Website ein, oder versuchen Sie es später noch einmal.',
    goBack: 'Fertig. Bitte gehen Sie zurück und senden Sie es noch einmal.',
    stays: 'Wenn diese Seite stehen bleibt, schicken Sie den Betreibern dieser Website diese Nummer.',
    number: 'Nummer der Anfrage',
  },
  es: {
    title: 'Un momento',
    working:
      'Su navegador está resolviendo una pequeña tarea porque desde su red llega un tráfico inusual. Tardará unos segundos.',
    noScript: 'Se necesita JavaScript. Actívelo para este sitio o inténtelo más tarde.',
    goBack: 'Listo. Vuelva atrás y envíelo de nuevo.',
    stays: 'Si esta página no desaparece, envíe este número a quienes administran este sitio.',
    number: 'Número de solicitud',
  },
  fr: {
    title: 'Un instant',
    working:
      'Votre navigateur résout un petit calcul, car un trafic inhabituel vient de votre réseau. Cela prend quelques secondes.',
    noScript: 'JavaScript est nécessaire. Activez-le pour ce site ou réessayez plus tard.',
    goBack: 'C’est fait. Revenez en arrière et envoyez-le de nouveau.',
    stays: 'Si cette page ne disparaît pas, envoyez ce numéro aux responsables de ce site.',
    number: 'Numéro de la requête',
  },
  ja: {
    title: '少々お待ちください',
    working:
      'お使いのネットワークから通常と異なるアクセスがあったため、ブラウザーが簡単な計算をしています。数秒かかります。',
    noScript: 'JavaScript が必要です。このサイトで有効にするか、しばらくしてからもう一度お試しください。',
    goBack: '完了しました。前のページに戻ってもう一度送信してください。',
    stays: 'このページのまま進まない場合は、この番号をサイトの管理者にお知らせください。',
    number: 'リクエスト番号',
  },
  ar: {
    title: 'لحظة من فضلك',
    working: 'يحل متصفحك مسألة صغيرة بسبب حركة غير معتادة من شبكتك. يستغرق ذلك بضع ثوانٍ.',
    noScript: 'يتطلب ذلك JavaScript. يُرجى تفعيله لهذا الموقع أو المحاولة لاحقًا.',
    goBack: 'تم. يُرجى الرجوع وإرساله مرة أخرى.',
    stays: 'إذا بقيت هذه الصفحة، فأرسل هذا الرقم إلى القائمين على هذا الموقع.',
    number: 'رقم الطلب',
  },
}
