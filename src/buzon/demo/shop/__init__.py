"""The demonstration shop: its letters, its mail server, and the postman who brings new ones."""

from buzon.demo.shop.mail import ShopMail
from buzon.demo.shop.places import MAILBOXES, OFFICE, SERVER
from buzon.demo.shop.postman import Postman

__all__ = ["MAILBOXES", "OFFICE", "SERVER", "Postman", "ShopMail"]
