import type { RefusalLanguage } from '../decision/refusal-language.ts'

type Translated = Readonly<Record<Exclude<RefusalLanguage, 'en'>, string>>

/** Sentences of guards that people meet in a browser, in the languages of pages. By their English text. */
const SENTENCES: Readonly<Record<string, Translated>> = {
  'The request looks like an attack and was refused.': {
    de: 'Die Anfrage sieht wie ein Angriff aus und wurde abgelehnt.',
    es: 'La solicitud parece un ataque y fue rechazada.',
    fr: 'La requête ressemble à une attaque et a été refusée.',
    ja: 'リクエストが攻撃のように見えるため、拒否されました。',
    ar: 'يبدو هذا الطلب كأنه هجوم، ولذلك رُفض.',
  },
  'This request came from another site. Please go to this site and try again there.': {
    de: 'Diese Anfrage kam von einer anderen Website. Bitte öffnen Sie diese Website und versuchen Sie es dort noch einmal.',
    es: 'Esta solicitud vino de otro sitio. Abra este sitio e inténtelo de nuevo desde él.',
    fr: 'Cette requête venait d’un autre site. Ouvrez ce site et réessayez depuis celui-ci.',
    ja: 'このリクエストは別のサイトから送信されました。このサイトを開いて、もう一度お試しください。',
    ar: 'جاء هذا الطلب من موقع آخر. يُرجى فتح هذا الموقع والمحاولة منه مرة أخرى.',
  },
  'Requests from here are not accepted.': {
    de: 'Anfragen von hier werden nicht angenommen.',
    es: 'No se aceptan solicitudes desde aquí.',
    fr: 'Les requêtes venant d’ici ne sont pas acceptées.',
    ja: 'ここからのリクエストは受け付けていません。',
    ar: 'لا تُقبل الطلبات من هنا.',
  },
  'The body of this request is too large.': {
    de: 'Der Inhalt dieser Anfrage ist zu groß.',
    es: 'El contenido de esta solicitud es demasiado grande.',
    fr: 'Le contenu de cette requête est trop volumineux.',
    ja: 'このリクエストの本文が大きすぎます。',
    ar: 'محتوى هذا الطلب كبير جدًا.',
  },
}

/** A sentence of a guard in another language; undefined where it is known in its own only. */
export function translatedSentence(sentence: string, language: RefusalLanguage): string | undefined {
  if (language === 'en' || !Object.hasOwn(SENTENCES, sentence)) return undefined
  return SENTENCES[sentence]?.[language]
}
