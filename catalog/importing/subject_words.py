"""The words that subject folding knows: a name for many spellings, generic names, tags that tell nothing.

All keys are as `catalog.importing.folding.plain_key` makes them: small letters, no punctuation, no accents.
"""

_SYNONYMS = """
Fiction: adult fiction; general fiction; fiction general; fiction in english; ficcion; roman; romans;
  fictional works by one author; american fiction; english fiction; british fiction; british and irish
  fiction; continental european fiction; canadian fiction; australian fiction; erzahlende literatur; romans
  nouvelles; belletristik
Nonfiction: non fiction; adult nonfiction; general nonfiction; juvenile nonfiction
General: general interest; miscellaneous; miscellanea
Large type books: large print books; large print; large type
Literature: english literature; american literature; world literature; letterkunde; literatur; litterature;
  british literature; european literature; american; british; lit; english
Novels: novel; novela; novelas
Adult: adults; new adult fiction
Series: book series; trilogy; trilogies
Books: book; ebook; ebooks; audiobook; audiobooks; audio books; audio book; collections; texts; textbooks
Contemporary: contemporary fiction; modern fiction; modern; modern literature
Classics: classic; classic literature; classic fiction; classic lit; modern classics; classic novels;
  clasicos; literary classics
Literary fiction: literary; lit fic; literary novels
Young adult: ya; teen; teens; teen fiction; ya fiction; ya books; ya lit; young adult fiction; young adults;
  young adult literature; young adult books; teen books; young adult teen
Children's books: childrens; children; childrens fiction; childrens stories; children stories; childrens
  literature; kids; kids books; childrens lit; juvenile; juvenile fiction; juvenile literature; kids
  fiction; children fiction; childhood books; middle grade; middle grade fiction; childhood favorites;
  childrens chapter books; chapter books; kinderbucher; literatura infantil
Picture books: picture book; childrens picture books; picturebooks; stories in rhyme; board books
Science fiction: sci fi; scifi; sf; science fiction general; science fiction and fantasy; science fiction
  fantasy; sci fi fantasy; scifi fantasy; sff; american science fiction; english science fiction; ciencia
  ficcion; speculative fiction; fiction science fiction
Fantasy: fantasy fiction; fantasy general; fantastic fiction; fantasia; fantastique; high fantasy; epic
  fantasy; fantasy epic; fantasy contemporary; american fantasy fiction; english fantasy fiction; fantasy
  series; fantastic
Urban fantasy: urban fantasy fiction; fantasy urban
Paranormal: supernatural; paranormal fiction; supernatural fiction; occult fiction; occult and supernatural;
  occultism; occult
Paranormal romance: romance paranormal; pnr
Historical fiction: historical; historical novels; historical novel; fiction historical; historical fiction
  general; historical general; hist fic; historische romane; histfic; novela historica; english historical
  fiction; american historical fiction
Historical romance: romance historical; historical romances; romance historical general; regency romance;
  regency
Romance: romances; romance fiction; romance general; romance novels; romantic; romance contemporary;
  contemporary romance; romantic fiction; contemporary romances; harlequin
Love stories: love; love story; romantic love; love poetry; love romance; histoires damour
Chick lit: chicklit; womens fiction chick lit; womens fiction; contemporary women
Mystery: mysteries; mystery fiction; mystery and detective; mystery and detective general; mystery thriller;
  mystery suspense; detective and mystery stories; mystery and suspense; mystery crime; crime mystery;
  mystery detective; mystery stories; murder mystery; mystery and crime; mystery thrillers; mystery and
  thriller; american detective and mystery stories; whodunit; mystery and detective stories; mystery
  suspense thriller; thriller mystery; cozy mystery; cozy mysteries; cozy; suspense mystery
Detectives: detective; detective fiction; private investigators; policiers; detective stories; policia;
  detective novels; police procedural; detectives privados; police procedurals; women detectives; women
  sleuths; women private investigators; private detectives; police; investigation; criminal investigation
Crime: crime fiction; crimes; criminals; crime and mystery; crime thriller; crime novels; crime and
  criminals; thriller crime; criminal
True crime: true crime stories
Thrillers: thriller; thriller fiction; thrillers general; action thriller; thriller suspense; thrillers
  suspense; suspense thriller; suspense thrillers; psychological thriller; thrillers psychological;
  psychological thrillers
Legal thrillers: legal stories; legal thriller; legal; thrillers legal; thriller legal thriller
Suspense: suspense fiction; suspense stories; suspense novels; american suspense fiction; romantic suspense;
  romantic suspense novels; romance suspense; romance romantic suspense
Spies: espionage; spy stories; spy; spy fiction; thrillers espionage; spy thriller; espionage thrillers;
  intelligence service; spionage
Horror: horror fiction; horror tales; horror stories; horror general; horreur; american horror tales; horror
  novels
Ghosts: ghost stories; ghost; ghost story; haunted houses; haunted
Vampires: vampire; vampiros; paranormal vampires; dracula
Witches: witch; witchcraft; wizards; witches and wizards
Magic: magick; magicians; magie; fantasy magic
Mythology: myth; myths; greek mythology; mythologie; classical mythology; myths and legends; norse
  mythology; retellings
Fairy tales: fairy tale; fairytales; fairytale; folklore; tales; legends; fairytale retellings
Adventure: adventure fiction; adventure stories; adventures; action adventure; action and adventure; action;
  adventure and adventurers; adventure general; adventurers; action and adventure fiction; aventuras;
  aventures
Western: westerns; western stories; western fiction; frontier and pioneer life; wild west; cowboys
War: wars; war stories; military; military fiction; war and military; guerre; soldiers; military history;
  battles; war fiction
World War I: world war 1914 1918; wwi; ww1; world war 1; first world war; world war one; great war
World War II: world war 1939 1945; wwii; ww2; world war 2; second world war; world war two; weltkrieg; war
  world war ii
Holocaust: jewish holocaust 1939 1945; holocaust jewish 1939 1945; jewish holocaust; world war ii holocaust;
  concentration camps; nazis
Vietnam War: vietnamese conflict 1961 1975; vietnam war 1961 1975; vietnamese conflict; vietnam
American Civil War: civil war; civil war 1861 1865; us civil war
Humor: humour; humorous; funny; comedy; humorous fiction; humorous stories; humor comedy; humor general; wit
  and humor; humorous general; american wit and humor; comic; comedies; humoristic; hilarious; english wit
  and humor; humorous books
Satire: satires; black humor; satirical; parody; parodies; satirical literature
Short stories: short story; short story collections; short story collection; short fiction; american short
  stories; short stories single author; english short stories; short stories american; anthologies;
  anthology; kurzgeschichten; nouvelles; stories
Graphic novels: graphic novel; comics; comic books; comics and graphic novels; comic book; comic books
  strips etc; comic books strips; comics graphic novels; graphic novels comics; sequential art; comic
  strips; bandes dessinees
Manga: sequential art manga; shojo; shonen
Poetry: poems; poem; american poetry; english poetry; poesie; poesia; poets; poetry general
Plays: drama plays; theatre; theater; plays theatre; play; english drama; american drama; playwriting; plays
  drama; theatre plays
Drama: dramas; drama general; dramatic
Essays: essay; american essays; english essays; writing essays; literary essays
Biography: biographies; biography and autobiography; biography memoir; biografia; biography general; bio;
  biographie; biography and memoir; lives; biographical fiction; fiction biographical; biographical
Memoir: memoirs; autobiography; autobiographies; autobiography memoir; biography autobiography; memoir
  biography; personal memoirs; memoir autobiography; autobiografia; personal narratives; diaries;
  correspondence; autobiographical
History: histories; world history; historia; history general; geschichte; histoire; history nonfiction;
  popular history
American history: united states history; us history; history united states; north american history; history
  american
Science: popular science; science nature; natural sciences; sciences; science general; pop science
Mathematics: math; maths; mathematics general
Physics: quantum theory; physics general; quantum mechanics
Evolution: human evolution; biology evolution; evolution biology
Psychology: psychologie; psychological; psychology general; psychological fiction; psychological aspects;
  pop psychology; mental health; social psychology
Mental illness: mentally ill; schizophrenia; mental disorders; depression
Philosophy: philosophical; philosophie; philosophers; filosofia; philosophy general; ethics; modern
  philosophy
Religion: religious; religions; theology; religion general; religious aspects; faith; religion and
  spirituality
Christianity: christian; christian fiction; christian living; christian life; christians; religion
  christianity; christian literature; religious fiction; christian non fiction; inspirational; catholic;
  catholic church; religious christian; bible; christian historical
Spirituality: spiritual; spiritual life; new age; spiritualism
Judaism: jews; jewish; jewish fiction; religion judaism
Self-help: personal growth; self improvement; personal development; self actualization; selfhelp; self
  realization; self esteem
Business: business and economics; business general; entrepreneurship; management; success in business;
  leadership; business economics; success
Economics: economic; finance; economy; personal finance; money; economic conditions; economie
Politics: political; political science; politics and government; political fiction; government; political
  thriller; politics general; politicians; world politics; politique et gouvernement; presidents
Law: lawyers; trials; judges; law general; courts
Sociology: social science; social sciences; society; social issues; social conditions; sociologia
Anthropology: cultural anthropology; ethnology; archaeology
Society and manners: manners and customs; social life and customs; moeurs et coutumes; social customs; upper
  class; social classes; comedy of manners; etiquette; aristocracy
Race relations: race; racism; african americans; african american; black; race discrimination; civil rights;
  blacks; african american fiction; people of color; race identity; segregation
Slavery: slaves; enslaved persons; slave trade; fugitive slaves
Feminism: feminist; gender studies; womens studies; gender; feminist fiction; feminist theory; womens rights
Women's lives: women; womens fiction general; womens; young women; single women; middle aged women; female
  friendship; women authors
Families: family; family life; family fiction; family relationships; family saga; domestic fiction; sagas;
  family sagas; familia; parenting; parent and child; family life general; brothers and sisters; siblings;
  brothers; sisters; mothers and daughters; fathers and daughters; fathers and sons; mothers and sons;
  mothers; fathers; motherhood; famille; family problems; relationships
Marriage: married people; divorce; husbands; wives; husband and wife; married women; weddings; adultery; man
  woman relationships; relations entre hommes et femmes; infidelity
Friendship: friends; amistad; best friends; amitie; male friendship
Coming of age: bildungsroman; bildungsromans; coming of age fiction; adolescence; teenagers; teenage girls;
  teenage boys; growing up; adolescents; teenage; maturation psychology
Schools and universities: school; schools; high school; high schools; school stories; boarding schools;
  university; college; college students; boarding school; universities and colleges; school and education;
  academia; academic; college life; schulen
Education: teaching; teachers; educational; education general
Dystopias: dystopia; dystopian; dystopian fiction; dystopic; distopia; dystopian future
Post-apocalyptic: apocalyptic; post apocalyptic fiction; end of the world; apocalypse; zombies; regression
  civilization
Time travel: time travel fiction; time travelling; time travel romance; space and time
Space: space opera; outer space; space exploration; space colonies; interplanetary voyages; space travel;
  aliens; extraterrestrial beings
Robots and AI: robots; artificial intelligence; androids; cyborgs; cyberpunk; robotics
Technology: computers; computer science; programming; engineering; internet; computer programming;
  technology and engineering
Magical realism: magic realism; magic realism literature; magischer realismus; magical realist
Gothic: gothic fiction; gothic novels; gothic horror; southern gothic; gothic romance; gothic literature
Survival: survival skills; wilderness survival; survival stories; survie
Death and grief: death; grief; bereavement; mort; suicide; widows; loss psychology; loss; dying; terminally
  ill
Murder: murderers; homicide; serial murders; serial murderers; serial killers; serial killer; assassins;
  meurtre
Medicine: medical; health; physicians; doctors; nurses; medical fiction; medical novels; hospitals; medicine
  general; medical thrillers; diseases
Cancer: cancer patients
Travel: travel writing; voyages and travels; description and travel; travels; road trip; travelogue; viajes;
  travel general
Food and cooking: food; cooking; cookbooks; cookbook; foodie; cookery; culinary; food and drink; recipes;
  food writing; cooks
Animals: animal stories; animal; animaux; animals general; animal fiction; animal ghosts
Dogs: dog; dog stories
Cats: cat; cat stories
Horses: horse; horse stories
Dragons: dragon; fantasy dragons
Nature: environment; natural history; environmentalism; ecology; outdoors; gardening; gardens; wilderness;
  nature writing
Ocean and sea: sea stories; sea; ships; seafaring life; sailing; ocean; pirates; whales; naval; nautical;
  shipwrecks; seafaring
Sports: sports and recreation; baseball; football; basketball; athletes; soccer; sports romance; sport
Music: musicians; rock music; musica; musique; rock musicians; jazz; music general; rock n roll; singers
Art and artists: art; artists; painters; painting; art history; arte; arts; artist; photography; kunst; arts
  and photography; fine arts
Film: motion pictures; movies; cinema; films; media tie in; movie; film and video; film adaptations; made
  into movies; hollywood
Journalism: journalists; reporters and reporting; newspapers; women journalists; media
Writing: authorship; writers; books about books; creative writing; books and reading;
  linguistics; novelists
Literary criticism: criticism and interpretation; history and criticism; criticism; literary theory;
  literary studies; kritik; lit crit; criticism interpretation
LGBT: lgbtq; glbt; queer; gay; lesbian; gays; gay men; lesbians; gay fiction; lesbian fiction; queer lit;
  homosexuality; lgbtqia; mm romance
Erotica: erotic; erotic fiction; bdsm; erotic stories; erotic romance; erotic literature; smut; sex;
  sexuality; erotismo
England: england fiction; great britain; britain; united kingdom; uk; grande bretagne; angleterre; cultural
  united kingdom; inglaterra
London: london england; london england fiction
Ireland: irish; irish literature; ireland fiction; cultural ireland; irish fiction
Scotland: scottish; scotland fiction; highlanders; cultural scotland; scots; highlands; scotland highlands
France: french; french literature; french fiction; france fiction; cultural france; litterature francaise;
  france history
Paris: paris france
Germany: german; german literature; german fiction; germany fiction; cultural germany; deutsch; allemagne;
  nazi germany
Italy: italian; italian literature; italy fiction; cultural italy; italia; rome; venice italy; italian
  fiction
Spain: spanish; spanish literature; spain fiction; cultural spain; espana; spanish fiction
Russia: russian; russian literature; russian fiction; soviet union; russia fiction; cultural russia; russia
  federation; russland
Scandinavia: scandinavian; swedish; sweden; norway; norwegian; denmark; danish; swedish literature;
  scandinavian literature; nordic; sverige; scandinavian crime; nordic noir; finland; iceland; cultural
  sweden
Japan: japanese; japanese literature; japan fiction; cultural japan; japanese fiction
China: chinese; chinese literature; cultural china; china fiction; asian literature chinese; chinese fiction
India: indian; indian literature; cultural india; india fiction; indian fiction; south asia
Asia: asian; asian literature; cultural asia
Africa: african; african literature; cultural africa; south africa; africa fiction; african fiction;
  nigeria; kenya
Middle East: cultural iran; iran; afghanistan; israel; iraq; islam; muslims; turkey; saudi arabia; arab
Latin America: latin american; latin american literature; mexico; cuba; spanish american; south america;
  colombia; latino; chile; brazil; argentina; latin american fiction; literatura latinoamericana
Australia: australian; australian literature; cultural australia; australia fiction
Canada: canadian; canadian literature; cultural canada; canlit; canada fiction; canadian lit
United States: the united states of america; usa; america; american south; united states fiction; us; etats
  unis; the united states
Southern states: southern; southern fiction; southern states fiction; south; southern lit; southern
  literature; the south
New York: new york n y; new york city; nyc; new york fiction; new york state; new york new york
Ancient world: ancient history; ancient; ancient rome; ancient greece; classical literature; greece; greek;
  rome history; antiquity; greek literature; egypt; ancient egypt
Middle Ages: medieval; medieval history; middle ages 600 1500; knights and knighthood; medieval fiction;
  arthurian; arthurian romances
Kings and rulers: royalty; kings; queens; kings queens rulers etc; kings queens rulers; princesses;
  princess; nobility; tudor; tudors
Epic poetry: epic; epics; epic literature
"""

GENERIC = frozenset(
    {"Fiction", "Nonfiction", "General", "Large type books", "Literature"}
    | {"Novels", "Adult", "Series", "Books", "Contemporary"}
)
"""Subjects that say nothing of what a book is about: kept for look-ups, nobody's main subject."""

_NOISE = """
1001; 1001 books; 1001 books to read before you die; 1001 import; 18th century; 19th century; 19th century
literature; 20th century; 20th century literature; 21st century; abandoned; accelerated reader; accessible
book; adaptations; addresses essays lectures; alpha male; amazon; american authors; amerikanisches englisch;
and; anecdotes; appreciation; arabic; arc; aspect social; aufsatzsammlung; award winners; banned;
banned books; belletristische darstellung; bestseller; bestsellers; bibliography; bones; book boyfriends;
book club; book group; bookclub; booker; booker prize; books about; borrowed; botm; caldecott; case studies;
causes; chang pian xiao shuo; chapter; characters; characters and characteristics; child; cliffhanger;
collected works; collected works single author multi form; conditions sociales; couldn t finish; cover love;
crimes against; criticism textual; critique et interpretation; cultural; default; descriptions et voyages;
dictionaries; dnf; dramatic production; e books; early works to 1800; ecoles; economic aspects; englisch;
english authors; english fiction translations; english language; erlebnisbericht; escuelas; espanol; etc;
etude et enseignement; examinations; facsimiles; familie; favorite; favorites; favourites; female authors;
femmes; ficcion juvenil; fiction classics; fictional character; fictional works; fictional works publication
type; fictitious character; first in series; fluff; foreign language study; frau; free; freebie; freebies;
friends and associates; general works; german language materials; gilmore girls; giveaways; go; great books;
handbooks manuals; hist; histoire et critique; home; homes; homes and haunts; human beings; identification;
illustrations; imaginary places; in art; in library; in literature; in translation; influence; internet
archive wishlist; juvenile audience; kind; kindle; knowledge; lectures et morceaux choisis;
library; library books; life; listened to; literary collections; literature 19th century; literature 20th
century; livres en gros caracteres; long; long now manual for civilization; made me cry; male female; male
pov; man booker prize; mf; miniature books; moral and ethical aspects; mord; mujeres; must read; my books;
na; netgalley; new; new adult; new york times; new york times bestseller; new york times reviewed; newbery;
nobel; nobel prize; novela hogarena; novela juvenil; novela psicologica; open library; open library staff
picks; open syllabus project; ouvrages avant 1800; overdrive; own; owned; patients; pictorial works; popular
works; printz; problems exercises; production and direction; protected daisy; pulitzer; pulitzer prize;
pulitzer winners; quartos; quotations; re read; read; read for school; readers; readers for new literates;
reading materials; realistic; reference; research; reviewed; romans nouvelles etc pour la jeunesse; rory
gilmore; rory gilmore reading list; school books; scripts; short; social aspects; social themes; sources;
spanish language; spanish language materials; specimens; stage history; stand alone; standalone;
standalones; storytime; study and teaching; study guides; summer reading; tbr; technique; textbooks for
foreign speakers; textos; the; theory; time; time 100; to read; top 100; traductions anglaises; translated;
translation; translations; translations into english; treatment; unfinished; unread; vida social y
costumbres; web; wishlist
"""
NOISE = frozenset(" ".join(words.split()) for words in _NOISE.split(";"))
"""Tags that tell something of a copy, a list or a reader, not of the book."""


def read_synonyms() -> list[tuple[str, list[str]]]:
    """Each name with the keys that mean it."""
    entries = _SYNONYMS.replace("\n  ", " ").strip().splitlines()
    return [
        (name, [variant.strip() for variant in variants.split(";") if variant.strip()])
        for name, _, variants in (entry.partition(":") for entry in entries)
    ]
