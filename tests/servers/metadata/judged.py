"""Queries as readers type them, over the works of the demo catalog, with the titles that answer each."""

from typing import Final

QUESTIONS: Final[dict[str, tuple[str, ...]]] = {
    "a story about a boy who finds out that he is a wizard and goes to a school of magic": (
        "Harry Potter and the Philosopher's Stone", "A Wizard of Earthsea", "The Name of the Wind"),
    "which novel is about a desert planet with giant sand worms and a precious spice": (
        "Dune", "Dune Messiah"),
    "I am looking for a book where dinosaurs are brought back to life in a park": ("Jurassic Park",),
    "what was the book about an old fisherman who fights with a huge fish": ("The Old Man and the Sea",),
    "novels about a captain who is obsessed with hunting a white whale": ("Moby-Dick",),
    "a scientist creates a living creature out of dead bodies and then abandons it": ("Frankenstein",),
    "the book in which firemen burn all the books because reading is forbidden": ("Fahrenheit 451",),
    "a detective from belgium solves a murder on a train that is stuck in the snow": (
        "Murder on the Orient Express",),
    "something like a dystopia where women are forced to bear children for the state": (
        "The Handmaid's Tale",),
    "a man wakes up one morning and finds that he has turned into an insect": ("The Metamorphosis",),
    "a true story about a young man who walks into the wilderness of alaska and dies": ("Into the Wild",),
    "how did humans come to rule the world, a short history of mankind": ("Sapiens",),
    "a novel about a boy in afghanistan who betrays his friend and seeks redemption": ("The Kite Runner",),
    "farm animals rise against the farmer and the pigs take over": ("Animal Farm",),
    "children step through a wardrobe into a land of snow ruled by a witch": (
        "The Lion, the Witch and the Wardrobe",),
    "an astronaut is stranded alone on mars and has to grow food to survive": ("The Martian",),
    "a governess falls in love with her employer who hides a secret in the attic": ("Jane Eyre",),
    "lawyer defends a black man accused of rape in a small town in alabama": ("To Kill a Mockingbird",),
    "the clone children who are raised at a boarding school to donate their organs": ("Never Let Me Go",),
    "a father and his son walk through a burnt america after the end of the world": ("The Road",),
    "a love triangle of a millionaire who throws parties on long island in the jazz age": (
        "The Great Gatsby",),
    "a boy shares a lifeboat in the ocean with a tiger": ("Life of Pi",),
    "a family in colombia over seven generations with magic and ghosts": ("One Hundred Years of Solitude",),
    "books about the plague in a town in algeria that is closed off": ("The Plague",),
    "a girl and her pig and the spider who writes words to save him": ("Charlotte's Web",),
    "murderer student kills an old pawnbroker and is tormented by guilt in petersburg": (
        "Crime and Punishment",),
    "teenagers forced to fight to the death on television": ("The Hunger Games", "Catching Fire"),
    "the devil visits moscow with a talking cat": ("The Master and Margarita",),
    "a monk investigates murders in a medieval abbey with a labyrinth library": ("The Name of the Rose",),
    "what is a good popular science book on black holes and the beginning of the universe": (
        "A Brief History of Time", "Cosmos"),
    "memoir of growing up in a survivalist family in idaho without going to school": ("Educated",),
    "two tramps wait by a tree for somebody who never comes": ("Waiting for Godot",),
}  # fmt: skip
SHORT: Final[dict[str, tuple[str, ...]]] = {
    "dune": ("Dune", "Dune Messiah"),
    "emma": ("Emma",),
    "the hobbit": ("The Hobbit",),
    "hobit": ("The Hobbit",),
    "lathe of haven": ("The Lathe of Heaven",),
    "pride and prejudise": ("Pride and Prejudice",),
    "enders game": ("Ender's Game",),
    "ender's game": ("Ender's Game",),
    "les miserables": ("Les Misérables",),
    "pere goriot": ("Père Goriot",),
    "catch 22": ("Catch-22",),
    "2001": ("2001: A Space Odyssey",),
    "mistborn": ("Mistborn: The Final Empire",),
    "mistborn the final empire": ("Mistborn: The Final Empire",),
    "strange case of dr jekyll": ("Strange Case of Dr Jekyll and Mr Hyde",),
    "war and peace": ("War and Peace",),
    "crime and punishment": ("Crime and Punishment",),
    "the girl with the dragon tatoo": ("The Girl with the Dragon Tattoo",),
    "harry potter chamber": ("Harry Potter and the Chamber of Secrets",),
    "one hundred years of solitude": ("One Hundred Years of Solitude",),
    "what we talk about when we talk about love": ("What We Talk About When We Talk About Love",),
    "if on a winters night a traveler": ("If on a winter's night a traveler",),
    "the spy who came in from the cold": ("The Spy Who Came in from the Cold",),
    "drive your plow over the bones of the dead": ("Drive Your Plow Over the Bones of the Dead",),
    "it": ("It",),
    "we": ("We",),
    "she": ("She",),
    "the road mccarthy": ("The Road",),
    "king it": ("It",),
    "tolstoi anna karenina": ("Anna Karenina",),
    "dostoevsky idiot": ("The Idiot",),
    "bronte jane eyre": ("Jane Eyre",),
    "marquez cholera": ("Love in the Time of Cholera",),
    "abc murders": ("The A.B.C. Murders",),
    "a b c murders": ("The A.B.C. Murders",),
    "jane austen": ("Sense and Sensibility", "Pride and Prejudice", "Emma", "Northanger Abbey", "Persuasion"),
    "c s lewis": (
        "The Lion, the Witch and the Wardrobe", "Prince Caspian", "The Voyage of the Dawn Treader",
        "The Magician's Nephew"),
    "cs lewis": (
        "The Lion, the Witch and the Wardrobe", "Prince Caspian", "The Voyage of the Dawn Treader",
        "The Magician's Nephew"),
    "h g wells": (
        "The Time Machine", "The Island of Doctor Moreau", "The Invisible Man", "The War of the Worlds"),
    "hg wells time machine": ("The Time Machine",),
    "j k rowling": (
        "Harry Potter and the Philosopher's Stone", "Harry Potter and the Chamber of Secrets",
        "Harry Potter and the Prisoner of Azkaban"),
    "J.R.R. Tolkien": (
        "The Hobbit", "The Fellowship of the Ring", "The Two Towers", "The Return of the King",
        "The Silmarillion"),
    "j r r tolkien": (
        "The Hobbit", "The Fellowship of the Ring", "The Two Towers", "The Return of the King",
        "The Silmarillion"),
    "george rr martin": ("A Game of Thrones", "A Clash of Kings", "A Storm of Swords"),
    "t s eliot waste land": ("The Waste Land",),
}  # fmt: skip
