import type { RefusalLanguage } from '@postern/core'

/** What the page of a session that is being bound says. */
export interface BindWords {
  readonly title: string
  /** The browser cannot keep a key. */
  readonly keyless: string
  readonly proceed: string
  /** A form was sent with a session that had to be renewed first. */
  readonly sent: string
}

export const BIND_WORDS: Readonly<Record<RefusalLanguage, BindWords>> = {
  en: {
    title: 'Your session',
    keyless:
      'This browser cannot keep a key for your session: scripts or storage are switched off, or this is a private window. You stay signed in for a few minutes only.',
    proceed: 'Continue',
    sent: 'Your session had to be renewed first, and what you sent was not received. Please go back and send it again.',
  },
  de: {
    title: 'Ihre Sitzung',
    keyless:
      'Dieser Browser kann keinen Schlüssel für Ihre Sitzung aufbewahren: Skripte oder Speicher sind abgeschaltet, oder dies ist ein privates Fenster. Sie bleiben nur wenige Minuten angemeldet.',
    proceed: 'Weiter',
    sent: 'Ihre Sitzung musste zuerst erneuert werden, und was Sie gesendet haben, ist nicht angekommen. Bitte gehen Sie zurück und senden Sie es noch einmal.',
  },
  es: {
    title: 'Su sesión',
    keyless:
      'Este navegador no puede guardar una clave para su sesión: los scripts o el almacenamiento están desactivados, o es una ventana privada. La sesión dura solo unos minutos.',
    proceed: 'Continuar',
    sent: 'Primero hubo que renovar su sesión y no se recibió lo que envió. Vuelva atrás y envíelo de nuevo.',
  },
  fr: {
    title: 'Votre session',
    keyless:
      'Ce navigateur ne peut pas conserver de clé pour votre session : les scripts ou le stockage sont désactivés, ou la fenêtre est privée. Vous ne restez connecté que quelques minutes.',
    proceed: 'Continuer',
    sent: 'Votre session a dû être renouvelée et votre envoi n’a pas été reçu. Revenez en arrière et envoyez-le de nouveau.',
  },
  ja: {
    title: 'セッション',
    keyless:
      'このブラウザーはセッションの鍵を保存できません（スクリプトまたは保存領域が無効か、プライベートウィンドウです）。ログイン状態は数分間だけ続きます。',
    proceed: '続ける',
    sent: 'セッションの更新が必要だったため、送信された内容は受け取られていません。前のページに戻ってもう一度送信してください。',
  },
  ar: {
    title: 'جلستك',
    keyless:
      'لا يستطيع هذا المتصفح الاحتفاظ بمفتاح لجلستك: البرامج النصية أو التخزين معطلان، أو هذه نافذة خاصة. ستبقى مسجّل الدخول بضع دقائق فقط.',
    proceed: 'متابعة',
    sent: 'كان لا بد من تجديد جلستك أولاً، ولم يصل ما أرسلته. يرجى الرجوع وإرساله مرة أخرى.',
  },
}
