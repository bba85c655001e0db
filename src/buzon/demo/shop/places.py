"""Where the demonstration's mail is: two stores' mailboxes, their office's, and what is sold."""

from zoneinfo import ZoneInfo

OFFICE = "demo.example"
SERVER = "mx.demo.example"  # the name under which the shop's own server vouches for senders
MAILBOXES = {
    "pedidos": "pedidos@barroyolivo.example",
    "hello": "hello@fairwindcycles.example",
    "workshop": "workshop@fairwindcycles.example",
    "office": f"office@{OFFICE}",
    "old": "tienda-antigua@barroyolivo.example",
}
NAMES = {
    "pedidos": "Barro y Olivo",
    "hello": "Fairwind Cycles",
    "workshop": "Fairwind Workshop",
    "office": "Office",
    "old": "Tienda antigua",
}
ZONES = {"es": ZoneInfo("Europe/Madrid"), "en": ZoneInfo("Europe/Dublin")}

ITEMS = {
    "pedidos": (
        "el lebrillo verde", "la garrafa de picual de 5 litros", "los seis cuencos azules",
        "la tinaja pequeña", "el mortero de barro", "la caja de arbequina", "el botijo blanco",
        "la fuente de horno", "las tazas sin asa", "el lote de aceite temprano",
        "el azulejo con el número", "la ensaladera con peces", "la aceitera antigoteo",
    ),
    "hello": (
        "the Harrier 56", "the Curlew step-through", "a pair of mudguards", "the canvas panniers",
        "the kids' Wren 20", "a dynamo front light", "the cork grips", "a child seat",
        "the Plover folding bike", "a rear rack", "two inner tubes", "the leather saddle",
        "the Gannet cargo bike",
    ),
    "workshop": (
        "my old tourer", "the Harrier", "a tandem", "my daughter's bike", "the Gannet",
        "a three-speed hub", "the rear wheel", "the folding bike", "the hydraulic brakes",
    ),
    "office": ("the lease", "the insurance", "the water bill", "the alarm", "the van"),
}  # fmt: skip
TOWNS = {
    "es": (
        "Lugo", "Soria", "Cádiz", "Jaca", "Elche", "Béjar", "Zamora", "Vic", "Ronda", "Getxo",
        "Teruel", "Mérida", "Cangas", "Lorca", "Haro", "Úbeda",
    ),
    "en": (
        "Sligo", "Ennis", "Bath", "Kendal", "Galway", "Truro", "Perth", "Whitby", "Lewes",
        "Tralee", "Stroud", "Oban", "Hexham", "Kinsale", "Louth", "Ripon",
    ),
}  # fmt: skip
WEEKDAYS = {
    "es": ("el lunes", "el martes", "el miércoles", "el jueves", "el viernes", "el sábado"),
    "en": ("on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday"),
}
FIRST_NAMES = {
    "es": (
        "Abril", "Adela", "Anselmo", "Begoña", "Blas", "Celia", "Damián", "Elvira", "Fermín",
        "Gema", "Hugo", "Irene", "Jacinto", "Leire", "Matías", "Noa", "Olga", "Pilar", "Quique",
        "Rocío", "Saúl", "Trini", "Urbano", "Valeria", "Ximena", "Yago", "Zoe", "Íñigo",
    ),
    "en": (
        "Ada", "Barnaby", "Ciara", "Dermot", "Edith", "Finn", "Gwen", "Harriet", "Isla", "Joel",
        "Kit", "Lorna", "Maeve", "Nell", "Orla", "Piers", "Quentin", "Rosie", "Seamus", "Tess",
        "Una", "Vince", "Winnie", "Yusuf", "Zadie", "Aoife", "Brendan", "Cormac",
    ),
}  # fmt: skip
LAST_NAMES = {
    "es": (
        "Aguirre", "Bermúdez", "Calvo", "Donoso", "Espejo", "Frías", "Gallardo", "Herrero",
        "Izquierdo", "Juárez", "Lozano", "Maldonado", "Nieto", "Ochoa", "Peñalver", "Quiroga",
        "Roldán", "Sepúlveda", "Tejada", "Ugarte", "Valdés", "Yuste", "Zorrilla",
    ),
    "en": (
        "Ashby", "Brennan", "Carmody", "Dunne", "Eastwood", "Fennell", "Garvey", "Hobbs", "Ivory",
        "Jessop", "Keane", "Lyle", "Mallory", "Nash", "Oakes", "Prior", "Quirke", "Rowe", "Slater",
        "Tully", "Upton", "Vickers", "Wren",
    ),
}  # fmt: skip
DOMAINS = {
    "es": ("correo.example", "buzonlibre.example", "casa.example", "micorreo.example"),
    "en": ("post.example", "webmail.example", "inbox.example", "letterbox.example"),
}
