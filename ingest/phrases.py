"""Lines that are page furniture word for word, in six languages.

Each entry is a whole line, in lower case and without the marks around it. A word
belongs here only if a line of nothing else is never a paragraph of an article.
"""

from enum import StrEnum


class Kind(StrEnum):
    """What a line of a page is: the article, or one of the kinds of furniture."""

    TITLE = "title"
    BODY = "body"
    FURNITURE = "furniture"  # no part of the article, and none of the kinds below
    FIELD = "field"  # "Language: en" in a head of named fields
    TRACKER = "tracker"  # the name of a script or pixel: "fbpx"
    SHORTCODE = "shortcode"  # a plug-in's mark in square brackets: "[ssba]"
    CODE = "code"  # program text, style sheets, tags
    LINK = "link"  # an address, a handle or a hashtag and nothing else
    SHARE = "share"  # share buttons and their counts
    NAVIGATION = "navigation"  # menus, search, paging, account
    SECTION = "section"  # its name and nothing else
    COOKIES = "cookies"  # consent notices
    SIGN_UP = "sign_up"  # newsletters, subscriptions, pay walls
    ADVERT = "advert"
    RELATED = "related"  # opens a list of other articles
    COMMENTS = "comments"  # opens what readers wrote, or belongs to it
    LEGAL = "legal"  # copyright, terms, imprint
    CAPTION = "caption"  # belongs to a picture
    BYLINE = "byline"
    DATELINE = "dateline"  # a date and nothing else of weight
    BIOGRAPHY = "biography"  # who the author is


_LINES: dict[Kind, str] = {
    Kind.SHARE: """
        share | share this | share this article | share this story | share this post
        share on facebook | share on twitter | share on linkedin | share on whatsapp
        share via email | share article | share link | sharing is caring | shares
        tweet | tweet this | pin | pin it | pinterest | facebook | twitter | x
        whatsapp | linkedin | reddit | flipboard | tumblr | telegram | instagram
        youtube | snapchat | tiktok | mastodon | bluesky | threads | pocket | mix
        email | e-mail | email this | email this article | mail | print | print article
        print this | print this page | copy link | copy url | link copied | save
        save article | bookmark | bookmark this | like | like this | follow | follow us
        follow us on | follow us on twitter | like us on facebook | link | send
        facebook twitter | facebook twitter whatsapp | facebook twitter email
        facebook twitter linkedin | facebook twitter pinterest | listen | listen now
        teilen | artikel teilen | auf facebook teilen | auf twitter teilen | merken
        drucken | artikel drucken | versenden | per e-mail versenden | vorlesen
        folgen sie uns | link kopieren | beitrag teilen | twittern | weitersagen
        partager | partager sur facebook | partager sur twitter | partager l'article
        imprimer | envoyer | envoyer par mail | tweeter | suivez-nous | copier le lien
        enregistrer | écouter l'article | offrir l'article | compartir
        compartir en facebook | compartir en twitter | imprimir | guardar | enviar
        enviar por correo | correo | síguenos | síguenos en | copiar enlace | tuitear
        comparte | comparte esta noticia | escuchar | compartilhar | compartilhe
        partilhar | partilhe | siga-nos | copiar link | salvar | ouvir
        compartilhe esta notícia | condividi | condividi su facebook | stampa | invia
        salva | seguici | seguici su | copia link | ascolta | condividi l'articolo
    """,
    Kind.NAVIGATION: """
        home | homepage | home page | menu | main menu | navigation | search
        search for | search this site | skip to content | skip to main content
        skip to navigation | back to top | top | back | next | previous | close | open
        more | more from | see more | view more | view all | see all | show more
        show less | load more | read more | continue reading | read full story
        full story | full screen | play | pause | loading | loading... | sections
        sign in | sign out | log in | login | logout | register | my account | account
        sign in / register | subscribe sign in | subscribesign in | edition
        u.s. edition | international edition | sitemap | site map | archive | archives
        categories | category | tags | tagged | tagged with | topics | topic
        filed under | about | about us | contact | contact us | help | faq | faqs
        careers | jobs | advertise | advertise with us | newsroom | press | feedback
        rss | rss feed | app store | google play | download our app | mobile
        mobile apps | podcast | podcasts | video | videos | photos | gallery | galleries
        live | breaking | breaking news | latest | latest news | top stories | headlines
        today | text size | font size | a a a | aa | weather | horoscope | games
        crosswords | next article | previous article | next post | previous post
        next story | by | written by | posted by | posted in | posted on | published
        updated | last updated | author | authors | source | sources | date | image
        photo | startseite | menü | hauptmenü | suche | suchen | anmelden | abmelden
        registrieren | mein konto | zum inhalt springen | zur navigation springen
        nach oben | zurück | weiter | mehr | mehr anzeigen | weiterlesen | schließen
        über uns | kontakt | hilfe | archiv | themen | schlagworte | kategorien
        übersicht | zur startseite | mediathek | e-paper | epaper | wetter | von | stand
        quelle | accueil | rechercher | recherche | se connecter | connexion
        mon compte | aller au contenu | haut de page | retour | suivant | précédent
        plus | voir plus | lire la suite | fermer | à propos | nous contacter | aide
        rubriques | édition du jour | le direct | en direct | en continu | météo | par
        mis à jour | publié | sommaire | inicio | portada | menú | buscar | búsqueda
        iniciar sesión | mi cuenta | regístrate | saltar al contenido | ir al contenido
        volver arriba | volver | siguiente | anterior | ver más | leer más
        seguir leyendo | cerrar | quiénes somos | contacto | contáctanos | ayuda
        hemeroteca | secciones | etiquetas | temas | lo último | última hora | el tiempo
        por | actualizado | início | página inicial | pesquisar | busca | entrar
        minha conta | cadastre-se | ir para o conteúdo | voltar ao topo | voltar
        próximo | ver mais | leia mais | fechar | quem somos | fale conosco | contato
        ajuda | acervo | seções | assuntos | últimas notícias | previsão do tempo
        atualizado | cerca | ricerca | accedi | registrati | il mio account
        vai al contenuto | torna su | indietro | avanti | precedente | successivo
        vedi altro | leggi tutto | leggi di più | continua a leggere | chiudi
        chi siamo | contatti | aiuto | archivio | sezioni | argomenti | ultime notizie
        ultim'ora | meteo | di | aggiornato
    """,
    Kind.SECTION: """
        news | world | world news | international | national | politics | opinion
        comment | analysis | business | economy | finance | markets | money | technology
        tech | science | health | sport | sports | football | culture | arts
        entertainment | lifestyle | life | travel | education | environment | climate
        society | local | local news | regional | europe | asia | africa | americas
        middle east | us | u.s. | usa | us news | uk | uk news | eu | china | india
        australia | canada | features | feature | review | reviews | interview
        editorial | editorials | explainer | fact check | investigations | magazine
        exclusive | newsletter | opinions | letters | obituaries | crime | law | media
        books | film | music | tv | food | style | fashion | cars | motoring | property
        real estate | religion | history | defence | defense | energy | transport
        nachrichten | ausland | inland | politik | wirtschaft | meinung | kommentar
        kultur | wissenschaft | gesundheit | panorama | gesellschaft | feuilleton
        reise | technik | digital | netzwelt | bildung | umwelt | regionales | lokales
        welt | deutschland | europa | finanzen | leben | stil | auto | karriere
        actualité | actualités | monde | politique | économie | société | idées | débats
        sciences | santé | planète | environnement | médias | loisirs | à la une
        france | tribune | éditorial | régions | justice | éducation | voyage | noticias
        actualidad | mundo | internacional | política | economía | sociedad | opinión
        cultura | ciencia | tecnología | salud | deportes | deporte | gente | españa
        américa | medio ambiente | educación | viajes | nacional | sucesos | notícias
        economia | sociedade | opinião | ciência | tecnologia | saúde | esporte
        esportes | desporto | brasil | portugal | cotidiano | ambiente | educação
        viagem | notizie | mondo | esteri | politica | cronaca | società | opinioni
        scienza | salute | spettacoli | italia | viaggi | scuola | cronache | interni
        motori
    """,
    Kind.COOKIES: """
        accept | accept all | accept cookies | accept all cookies | i accept | i agree
        agree | got it | ok | reject | reject all | decline | cookie settings
        manage cookies | cookie preferences | manage preferences | more information
        akzeptieren | alle akzeptieren | zustimmen | ablehnen | einstellungen
        cookie-einstellungen | accepter | tout accepter | refuser | tout refuser
        paramétrer | aceptar | aceptar todo | rechazar | configurar | aceitar
        aceitar todos | rejeitar | accetta | accetta tutto | rifiuta | personalizza
    """,
    Kind.SIGN_UP: """
        subscribe | subscribe now | subscribe today | sign up | sign up now
        newsletters | get the newsletter | join now | join us | donate | support us
        already a subscriber? | become a member | start your free trial | try it free
        abonnieren | jetzt abonnieren | newsletter abonnieren | abo | zum abo | spenden
        s'abonner | abonnez-vous | je m'abonne | s'inscrire | je m'inscris
        faire un don | suscríbete | suscribirse | suscribirme | apúntate | dona
        hazte socio | assine | assine já | assinar | inscreva-se | doe
        torne-se assinante | abbonati | iscriviti | iscriviti alla newsletter | dona ora
        sostienici
    """,
    Kind.ADVERT: """
        advertisement | advertisements | advertising | ad | ads | sponsored
        sponsored content | sponsored links | promoted | promoted content | paid content
        story continues below advertisement | article continues after advertisement
        article continues below | advertisement - continue reading below
        scroll to continue | continue reading below | affiliate links | anzeige
        werbung | publicité | annonce | publicidad | anuncio | publicidade | anúncio
        continua após a publicidade | pubblicità | annuncio
        la suite après cette publicité | der artikel wird unten fortgesetzt
    """,
    Kind.RELATED: """
        related | related articles | related stories | related content | related posts
        related news | related links | related topics | related coverage | see also
        more stories | more on this | more on this story | more on this topic
        more news | more like this | more from this author | read next | read this next
        up next | recommended | recommended for you | recommended stories | you may like
        you may also like | you might like | you might also like
        you might be interested | don't miss | trending | trending now
        trending stories | most popular | popular | most read | most viewed
        most shared | popular posts | popular stories | editor's picks | editors' picks
        from the web | around the web | latest stories | latest articles | recent posts
        what to read next | further reading | also on this site | other stories
        in this story | elsewhere | mehr zum thema | lesen sie auch | lesen sie mehr
        auch interessant | das könnte sie auch interessieren
        das könnte dich auch interessieren | meistgelesen | meistgelesene artikel
        weitere artikel | weitere themen | verwandte artikel | verwandte themen
        empfohlen | empfehlungen | mehr lesen | à lire aussi | lire aussi
        sur le même sujet | articles liés | les plus lus | les plus lues
        les plus partagés | vous aimerez aussi | à voir aussi | voir aussi
        dans la même rubrique | articles similaires | nos recommandations
        le plus populaire | à découvrir | te puede interesar
        también te puede interesar | te recomendamos | más noticias
        noticias relacionadas | artículos relacionados | relacionados | lo más leído
        lo más visto | más información | lee también | lea también | más leídas
        leia também | veja também | notícias relacionadas | relacionadas | mais lidas
        matérias relacionadas | artigos relacionados | saiba mais | recomendados
        leggi anche | potrebbe interessarti | potrebbero interessarti
        articoli correlati | notizie correlate | i più letti | i più visti
        ti potrebbe interessare anche | ti potrebbe interessare | altre notizie
        correlati | per approfondire
    """,
    Kind.COMMENTS: """
        comments | comment on this | comments closed | comments are closed | 0 comments
        leave a comment | leave a reply | add a comment | post a comment | reply
        tell us what you think | let us know what you think | what do you think
        replies | join the conversation | join the discussion | view comments
        show comments | read comments | your comment | have your say | report abuse
        cancel reply | leave a reply cancel reply | leave a comment cancel reply
        log in to comment | kommentare | kommentar schreiben | kommentieren | antworten
        diskutieren sie mit | leserkommentare | alle kommentare | commentaires
        laisser un commentaire | réagir | répondre | commenter | voir les commentaires
        comentarios | deja un comentario | deja una respuesta | responder | comentar
        comentários | deixe um comentário | deixe uma resposta | commenti
        lascia un commento | rispondi | scrivi un commento
    """,
    Kind.LEGAL: """
        privacy | privacy policy | terms | terms of use | terms of service
        terms and conditions | terms & conditions | cookie policy | cookies | legal
        legal notice | disclaimer | copyright | copyright policy | all rights reserved
        accessibility | your privacy choices | do not sell my personal information
        your ad choices | adchoices | data policy | subscriber agreement | corrections
        impressum | datenschutz | datenschutzerklärung | nutzungsbedingungen | agb
        mentions légales | confidentialité | politique de confidentialité | cgu | cgv
        conditions générales | données personnelles | aviso legal
        política de privacidad | política de cookies | términos y condiciones
        política de privacidade | termos de uso | informativa sulla privacy
        note legali | termini e condizioni | privacy e cookie
    """,
    Kind.BIOGRAPHY: """
        about the author | about the authors | about the writer | meet the author
        über den autor | zum autor | über die autorin | à propos de l'auteur
        sobre el autor | acerca del autor | sobre o autor | l'autore
        informazioni sull'autore
    """,
}

PHRASES: dict[str, Kind] = {
    phrase.strip(): kind
    for kind, lines in _LINES.items()
    for row in lines.strip().splitlines()
    for phrase in row.split("|")
}
