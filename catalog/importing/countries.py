"""Finds the country in a reader's free-text location."""

_NAMES = """
Afghanistan, Albania, Algeria, Andorra, Angola, Antigua and Barbuda, Argentina, Armenia, Aruba, Australia,
Austria, Azerbaijan, Bahamas, Bahrain, Bangladesh, Barbados, Belarus, Belgium, Belize, Benin, Bermuda,
Bhutan, Bolivia, Bosnia and Herzegovina, Botswana, Brazil, Brunei, Bulgaria, Burkina Faso, Burundi,
Cambodia, Cameroon, Canada, Cape Verde, Cayman Islands, Chad, Chile, China, Colombia, Costa Rica, Croatia,
Cuba, Cyprus, Czech Republic, Denmark, Dominica, Dominican Republic, Ecuador, Egypt, El Salvador, Eritrea,
Estonia, Ethiopia, Faroe Islands, Fiji, Finland, France, Gabon, Gambia, Georgia, Germany, Ghana, Gibraltar,
Greece, Grenada, Guam, Guatemala, Guernsey, Guinea, Guyana, Haiti, Honduras, Hong Kong, Hungary, Iceland,
India, Indonesia, Iran, Iraq, Ireland, Isle of Man, Israel, Italy, Ivory Coast, Jamaica, Japan, Jersey,
Jordan, Kazakhstan, Kenya, Kuwait, Kyrgyzstan, Laos, Latvia, Lebanon, Lesotho, Liberia, Libya,
Liechtenstein, Lithuania, Luxembourg, Macau, Macedonia, Madagascar, Malawi, Malaysia, Maldives, Mali, Malta,
Mauritania, Mauritius, Mexico, Micronesia, Moldova, Monaco, Mongolia, Montenegro, Morocco, Mozambique,
Myanmar, Namibia, Nauru, Nepal, Netherlands, Netherlands Antilles, New Zealand, Nicaragua, Niger, Nigeria,
North Korea, Norway, Oman, Pakistan, Palau, Palestine, Panama, Papua New Guinea, Paraguay, Peru,
Philippines, Poland, Portugal, Puerto Rico, Qatar, Romania, Russia, Rwanda, Saint Lucia, Samoa, San Marino,
Saudi Arabia, Senegal, Serbia, Seychelles, Sierra Leone, Singapore, Slovakia, Slovenia, Solomon Islands,
Somalia, South Africa, South Korea, Spain, Sri Lanka, Sudan, Suriname, Swaziland, Sweden, Switzerland,
Syria, Taiwan, Tajikistan, Tanzania, Thailand, Togo, Tonga, Trinidad and Tobago, Tunisia, Turkey,
Turkmenistan, Uganda, Ukraine, United Arab Emirates, United Kingdom, United States, Uruguay, Uzbekistan,
Vanuatu, Vatican City, Venezuela, Vietnam, Yemen, Zambia, Zimbabwe
"""
_COUNTRIES = {name.lower(): name for name in (part.strip() for part in _NAMES.replace("\n", " ").split(","))}
_ALIASES = {
    "United States": "usa, us, u.s.a., u.s., u.s, america, united states of america, united state",
    "United Kingdom": "uk, u.k., england, scotland, wales, northern ireland, great britain, united kindgdom",
    "Germany": "deutschland, alemania",
    "Spain": "españa, espana, catalunya, euskal herria",
    "Italy": "italia",
    "Switzerland": "schweiz, suisse",
    "Austria": "österreich",
    "Netherlands": "the netherlands, nederland, holland",
    "Brazil": "brasil",
    "Mexico": "méxico",
    "China": "p.r.china, p.r. china, people's republic of china",
    "South Korea": "korea, republic of korea",
    "Czech Republic": "czechia",
    "Russia": "russian federation",
    "Ireland": "republic of ireland, éire",
    "Philippines": "the philippines",
    "Bahamas": "the bahamas",
    "Yugoslavia": "yugoslavia",
    "Serbia": "serbia and montenegro, serbia & montenegro",
}
_COUNTRIES |= {alias: name for name, aliases in _ALIASES.items() for alias in aliases.split(", ")}


def parse_country(location: str) -> str | None:
    """The English name of the country that ends a text such as "porto, , portugal"; None if none does."""
    last = location.rpartition(",")[2].strip().strip('."').lower()
    return _COUNTRIES.get(last)
