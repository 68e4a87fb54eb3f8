import type { RefusalLanguage } from '@postern/core'

/** What the pages of login defence say. */
export interface LoginWords {
  readonly proof: {
    readonly title: string
    /** While the script works. */
    readonly working: string
    readonly noScript: string
    readonly insecure: string
    readonly done: string
    readonly none: string
  }
  readonly wait: { readonly title: string; readonly text: string; readonly sendLink: string }
  readonly number: string
  readonly mailed: { readonly title: string; readonly text: string }
  readonly confirm: { readonly title: string; readonly text: string; readonly go: string }
  readonly ended: { readonly title: string; readonly text: string }
  readonly nothing: { readonly title: string; readonly text: string }
}

export const LOGIN_WORDS: Readonly<Record<RefusalLanguage, LoginWords>> = {
  en: {
    proof: {
      title: 'One moment',
      working:
        'Your browser is doing a short computation, because of many failed sign-ins. This takes a few seconds.',
      noScript: 'This needs JavaScript. Please switch it on for this site, or try again later.',
      insecure: 'This needs a secure (https) connection.',
      done: 'Done. Please sign in again.',
      none: 'No solution was found. Please reload the page.',
    },
    wait: {
      title: 'Too many attempts',
      text: 'Too many attempts to sign in to this account. Have a link sent to you by mail, or wait.',
      sendLink: 'Send me a link',
    },
    number: 'Request number',
    mailed: {
      title: 'Check your mail',
      text: 'If there is such an account, a link is in its mailbox by now: a new one, or the one of the last two hours.',
    },
    confirm: {
      title: 'Sign in from this browser',
      text: 'Continue if you want to sign in here. If somebody sent you this link, close this page.',
      go: 'Continue',
    },
    ended: {
      title: 'This link has expired',
      text: 'It was used already or is too old. Try to sign in again to have a new one sent.',
    },
    nothing: { title: 'Not found', text: 'There is nothing here.' },
  },
  de: {
    proof: {
      title: 'Einen Moment bitte',
      working:
        'Wegen vieler fehlgeschlagener Anmeldungen rechnet Ihr Browser kurz etwas aus. Das dauert ein paar Sekunden.',
      noScript:
        'Dafür wird JavaScript gebraucht. Bitte schalten Sie es für diese Website ein, oder versuchen Sie es später noch einmal.',
      insecure: 'Dafür wird eine sichere Verbindung (https) gebraucht.',
      done: 'Fertig. Bitte melden Sie sich noch einmal an.',
      none: 'Es wurde keine Lösung gefunden. Bitte laden Sie die Seite neu.',
    },
    wait: {
      title: 'Zu viele Versuche',
      text: 'Bei diesem Konto gab es zu viele Anmeldeversuche. Lassen Sie sich einen Link per E-Mail schicken, oder warten Sie.',
      sendLink: 'Link schicken',
    },
    number: 'Nummer der Anfrage',
    mailed: {
      title: 'Sehen Sie in Ihr Postfach',
      text: 'Falls es dieses Konto gibt, liegt jetzt ein Link in seinem Postfach: ein neuer oder der aus den letzten zwei Stunden.',
    },
    confirm: {
      title: 'Mit diesem Browser anmelden',
      text: 'Machen Sie weiter, wenn Sie sich hier anmelden wollen. Hat Ihnen jemand anderes diesen Link geschickt, schließen Sie diese Seite.',
      go: 'Weiter',
    },
    ended: {
      title: 'Dieser Link gilt nicht mehr',
      text: 'Er wurde schon benutzt oder ist zu alt. Melden Sie sich noch einmal an, um einen neuen zu bekommen.',
    },
    nothing: { title: 'Nicht gefunden', text: 'Hier ist nichts.' },
  },
  es: {
    proof: {
      title: 'Un momento',
      working:
        'Su navegador está haciendo un breve cálculo porque ha habido muchos inicios de sesión fallidos. Tardará unos segundos.',
      noScript: 'Se necesita JavaScript. Actívelo para este sitio o inténtelo más tarde.',
      insecure: 'Se necesita una conexión segura (https).',
      done: 'Listo. Inicie sesión de nuevo.',
      none: 'No se encontró ninguna solución. Vuelva a cargar la página.',
    },
    wait: {
      title: 'Demasiados intentos',
      text: 'Ha habido demasiados intentos de iniciar sesión en esta cuenta. Pida que se le envíe un enlace por correo o espere.',
      sendLink: 'Enviarme un enlace',
    },
    number: 'Número de solicitud',
    mailed: {
      title: 'Revise su correo',
      text: 'Si esa cuenta existe, ya hay un enlace en su buzón: uno nuevo o el de las últimas dos horas.',
    },
    confirm: {
      title: 'Iniciar sesión en este navegador',
      text: 'Continúe si quiere iniciar sesión aquí. Si alguien le envió este enlace, cierre esta página.',
      go: 'Continuar',
    },
    ended: {
      title: 'Este enlace ya no es válido',
      text: 'Ya se usó o es demasiado antiguo. Intente iniciar sesión de nuevo para recibir otro.',
    },
    nothing: { title: 'No encontrado', text: 'Aquí no hay nada.' },
  },
  fr: {
    proof: {
      title: 'Un instant',
      working:
        'Votre navigateur effectue un court calcul, car il y a eu de nombreux échecs de connexion. Cela prend quelques secondes.',
      noScript: 'JavaScript est nécessaire. Activez-le pour ce site ou réessayez plus tard.',
      insecure: 'Une connexion sécurisée (https) est nécessaire.',
      done: 'C’est fait. Connectez-vous de nouveau.',
      none: 'Aucune solution n’a été trouvée. Rechargez la page.',
    },
    wait: {
      title: 'Trop de tentatives',
      text: 'Il y a eu trop de tentatives de connexion à ce compte. Demandez un lien par e-mail, ou patientez.',
      sendLink: 'Envoyez-moi un lien',
    },
    number: 'Numéro de la requête',
    mailed: {
      title: 'Consultez votre messagerie',
      text: 'Si ce compte existe, un lien se trouve maintenant dans sa boîte : un nouveau, ou celui des deux dernières heures.',
    },
    confirm: {
      title: 'Se connecter avec ce navigateur',
      text: 'Continuez si vous voulez vous connecter ici. Si quelqu’un vous a envoyé ce lien, fermez cette page.',
      go: 'Continuer',
    },
    ended: {
      title: 'Ce lien n’est plus valable',
      text: 'Il a déjà servi ou il est trop ancien. Essayez de vous connecter pour en recevoir un nouveau.',
    },
    nothing: { title: 'Introuvable', text: 'Il n’y a rien ici.' },
  },
  ja: {
    proof: {
      title: '少々お待ちください',
      working: 'ログインの失敗が続いたため、ブラウザーが短い計算をしています。数秒かかります。',
      noScript: 'JavaScript が必要です。このサイトで有効にするか、しばらくしてからもう一度お試しください。',
      insecure: '安全な接続（https）が必要です。',
      done: '完了しました。もう一度ログインしてください。',
      none: '計算の答えが見つかりませんでした。ページを再読み込みしてください。',
    },
    wait: {
      title: '試行回数が多すぎます',
      text: 'このアカウントへのログインの試行が多すぎます。メールでリンクを受け取るか、しばらくお待ちください。',
      sendLink: 'リンクを送る',
    },
    number: 'リクエスト番号',
    mailed: {
      title: 'メールをご確認ください',
      text: 'そのアカウントが存在する場合、メールボックスにリンクが届いています（新しいもの、または過去 2 時間以内のもの）。',
    },
    confirm: {
      title: 'このブラウザーでログイン',
      text: 'ここでログインする場合は続けてください。ほかの人からこのリンクを受け取った場合は、このページを閉じてください。',
      go: '続ける',
    },
    ended: {
      title: 'このリンクは無効です',
      text: 'すでに使用されたか、期限が切れています。もう一度ログインすると、新しいリンクを受け取れます。',
    },
    nothing: { title: '見つかりません', text: 'ここには何もありません。' },
  },
  ar: {
    proof: {
      title: 'لحظة من فضلك',
      working: 'يجري متصفحك عملية حسابية قصيرة بسبب كثرة محاولات الدخول الفاشلة. يستغرق ذلك بضع ثوانٍ.',
      noScript: 'يتطلب ذلك JavaScript. يُرجى تفعيله لهذا الموقع أو المحاولة لاحقًا.',
      insecure: 'يتطلب ذلك اتصالًا آمنًا (https).',
      done: 'تم. يُرجى تسجيل الدخول مرة أخرى.',
      none: 'لم يُعثر على حل. يُرجى إعادة تحميل الصفحة.',
    },
    wait: {
      title: 'محاولات كثيرة جدًا',
      text: 'جرت محاولات كثيرة جدًا للدخول إلى هذا الحساب. اطلب إرسال رابط إليك بالبريد، أو انتظر.',
      sendLink: 'أرسل إليّ رابطًا',
    },
    number: 'رقم الطلب',
    mailed: {
      title: 'تحقق من بريدك',
      text: 'إذا كان هذا الحساب موجودًا، فقد وصل الآن رابط إلى بريده: رابط جديد، أو رابط آخر ساعتين.',
    },
    confirm: {
      title: 'تسجيل الدخول من هذا المتصفح',
      text: 'تابع إذا كنت تريد تسجيل الدخول هنا. إذا أرسل إليك شخص آخر هذا الرابط، فأغلق هذه الصفحة.',
      go: 'متابعة',
    },
    ended: {
      title: 'لم يعد هذا الرابط صالحًا',
      text: 'استُخدم من قبل أو أصبح قديمًا. حاول تسجيل الدخول من جديد ليُرسل إليك رابط آخر.',
    },
    nothing: { title: 'غير موجود', text: 'لا يوجد شيء هنا.' },
  },
}
