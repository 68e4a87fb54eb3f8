import type { RefusalLanguage } from '../decision/refusal-language.ts'

/** Kinds of refusal, as people read them. */
export type RefusalKind = 'throttle' | 'challenge' | 'deny' | 'unavailable'

/** What a refusal says in one language. */
export interface RefusalWords {
  readonly title: Readonly<Record<RefusalKind, string>>
  readonly text: Readonly<Record<RefusalKind, string>>
  /** `{when}` is "in 30 seconds", `{time}` the hour of the day. */
  readonly wait: string
  /** Leads to `Refusal.next`. */
  readonly goOn: string
  readonly again: string
  readonly home: string
  readonly back: string
  readonly mistake: string
  readonly number: string
}

export const REFUSAL_WORDS: Readonly<Record<RefusalLanguage, RefusalWords>> = {
  en: {
    title: {
      throttle: 'Too many requests',
      challenge: 'Please prove that this is you',
      deny: 'Request refused',
      unavailable: 'Not available right now',
    },
    text: {
      throttle: 'More requests came from you in a short time than this site accepts. Nothing is broken.',
      challenge: 'Before it goes on, this site needs to know that you are who you say.',
      deny: 'The protection of this site did not let this request through.',
      unavailable: 'This site cannot answer at the moment. It is not your fault.',
    },
    wait: 'You can try again {when} (at {time}).',
    goOn: 'Continue',
    again: 'Try again',
    home: 'Go to the start page',
    back: 'If you were sending a form, go back in your browser: what you typed is usually still there.',
    mistake: 'Do you think this is a mistake? Send this number to the people who run this site.',
    number: 'Request number',
  },
  de: {
    title: {
      throttle: 'Zu viele Anfragen',
      challenge: 'Bitte bestätigen Sie, dass Sie es sind',
      deny: 'Anfrage abgelehnt',
      unavailable: 'Zurzeit nicht verfügbar',
    },
    text: {
      throttle:
        'Von Ihnen kamen in kurzer Zeit mehr Anfragen, als diese Website annimmt. Es ist nichts kaputt.',
      challenge: 'Bevor es weitergeht, muss diese Website wissen, dass Sie es wirklich sind.',
      deny: 'Der Schutz dieser Website hat diese Anfrage nicht durchgelassen.',
      unavailable: 'Diese Website kann im Moment nicht antworten. Das liegt nicht an Ihnen.',
    },
    wait: 'Sie können es {when} noch einmal versuchen (um {time}).',
    goOn: 'Weiter',
    again: 'Noch einmal versuchen',
    home: 'Zur Startseite',
    back: 'Wenn Sie ein Formular abgeschickt haben, gehen Sie im Browser zurück: Ihre Eingaben sind meist noch da.',
    mistake: 'Halten Sie das für einen Irrtum? Schicken Sie den Betreibern dieser Website diese Nummer.',
    number: 'Nummer der Anfrage',
  },
  es: {
    title: {
      throttle: 'Demasiadas solicitudes',
      challenge: 'Confirme que es usted',
      deny: 'Solicitud rechazada',
      unavailable: 'No disponible en este momento',
    },
    text: {
      throttle:
        'En poco tiempo llegaron de usted más solicitudes de las que este sitio acepta. No hay ninguna avería.',
      challenge: 'Antes de continuar, este sitio necesita saber que es usted quien dice ser.',
      deny: 'La protección de este sitio no dejó pasar esta solicitud.',
      unavailable: 'Este sitio no puede responder en este momento. No es culpa suya.',
    },
    wait: 'Puede intentarlo de nuevo {when} (a las {time}).',
    goOn: 'Continuar',
    again: 'Intentar de nuevo',
    home: 'Ir a la página de inicio',
    back: 'Si estaba enviando un formulario, vuelva atrás en el navegador: lo que escribió suele seguir ahí.',
    mistake: '¿Cree que es un error? Envíe este número a quienes administran este sitio.',
    number: 'Número de solicitud',
  },
  fr: {
    title: {
      throttle: 'Trop de requêtes',
      challenge: 'Veuillez confirmer votre identité',
      deny: 'Requête refusée',
      unavailable: 'Indisponible pour le moment',
    },
    text: {
      throttle:
        'Plus de requêtes sont venues de vous en peu de temps que ce site n’en accepte. Rien n’est en panne.',
      challenge: 'Avant de continuer, ce site doit savoir que c’est bien vous.',
      deny: 'La protection de ce site n’a pas laissé passer cette requête.',
      unavailable: 'Ce site ne peut pas répondre en ce moment. Vous n’y êtes pour rien.',
    },
    wait: 'Vous pourrez réessayer {when} (à {time}).',
    goOn: 'Continuer',
    again: 'Réessayer',
    home: 'Aller à la page d’accueil',
    back: 'Si vous envoyiez un formulaire, revenez en arrière dans votre navigateur : votre saisie y est le plus souvent encore.',
    mistake: 'Vous pensez qu’il s’agit d’une erreur ? Envoyez ce numéro aux responsables de ce site.',
    number: 'Numéro de la requête',
  },
  ja: {
    title: {
      throttle: 'リクエストが多すぎます',
      challenge: 'ご本人であることを確認してください',
      deny: 'リクエストを受け付けられませんでした',
      unavailable: '現在ご利用いただけません',
    },
    text: {
      throttle: '短時間に、このサイトが受け付けられる数を超えるリクエストがありました。故障ではありません。',
      challenge: '続けるには、ご本人であることの確認が必要です。',
      deny: 'このサイトの保護機能により、このリクエストは通りませんでした。',
      unavailable: 'このサイトは現在応答できません。お客様の操作が原因ではありません。',
    },
    wait: '{when}（{time}）にもう一度お試しいただけます。',
    goOn: '続ける',
    again: 'もう一度試す',
    home: 'トップページへ',
    back: 'フォームを送信していた場合は、ブラウザーの「戻る」で戻ってください。入力内容はたいてい残っています。',
    mistake: '誤りと思われる場合は、この番号をサイトの管理者にお知らせください。',
    number: 'リクエスト番号',
  },
  ar: {
    title: {
      throttle: 'عدد الطلبات كبير جدًا',
      challenge: 'يُرجى تأكيد هويتك',
      deny: 'رُفض الطلب',
      unavailable: 'الموقع غير متاح حاليًا',
    },
    text: {
      throttle: 'وصلت منك خلال وقت قصير طلبات أكثر مما يقبله هذا الموقع. لا يوجد أي عطل.',
      challenge: 'قبل المتابعة، يحتاج هذا الموقع إلى التأكد من هويتك.',
      deny: 'لم تسمح حماية هذا الموقع بمرور هذا الطلب.',
      unavailable: 'لا يستطيع هذا الموقع الرد في الوقت الحالي. هذا ليس خطأً منك.',
    },
    wait: 'يمكنك المحاولة مرة أخرى {when} (الساعة {time}).',
    goOn: 'متابعة',
    again: 'حاول مرة أخرى',
    home: 'الذهاب إلى الصفحة الرئيسية',
    back: 'إذا كنت ترسل نموذجًا، فارجع إلى الخلف في المتصفح: غالبًا ما يبقى ما كتبته موجودًا.',
    mistake: 'هل تظن أن هذا خطأ؟ أرسل هذا الرقم إلى القائمين على هذا الموقع.',
    number: 'رقم الطلب',
  },
}
