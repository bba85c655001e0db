"""A mailbox that is collected, and the two kinds of work that it gives."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from buzon.desk.models import AgentGroup, Organization, Store
from buzon.lease import LeasedRow


class CollectionAccount(models.Model):
    """One login on one mail server (es: cuenta de recogida), with the fields of R2 and R6 to R11.

    State (`intake/health.py` changes it after each run; `resume_account` ends a stop):

        working
           │ ⇅
           ├─ behind              due for minutes, but all workers are busy
           ├─ throttled           the server says: too much; or its day is used
           ├─ unreachable         no connection, time-outs, not now
           ├─ full                the disk is, or nearly; it goes on when there is room
           ├─ rejected            wrong login or secret, or the server does not permit it
           └─ stopped             Buzón asks a person; nothing is collected until `resume`
    """

    class Protocol(models.TextChoices):
        IMAP = "imap", "IMAP"
        POP3 = "pop3", "POP3"

    class Security(models.TextChoices):
        TLS = "tls", "TLS"
        STARTTLS = "starttls", "STARTTLS"
        NONE = "none", _("No encryption")

    class After(models.TextChoices):
        """What becomes of a downloaded message on the server (R6)."""

        LEAVE = "leave", _("Leave it as it is")
        READ = "read", _("Mark it as read")
        DELETE = "delete", _("Delete it from the server")

    class Start(models.TextChoices):
        """What of the mail that was there before the first look is collected (R4)."""

        ALL = "all", _("All the mail that is there")
        NOW = "now", _("Only what arrives from now on")
        DATE = "date", _("What is there from a date on")

    class History(models.TextChoices):
        """How letters of the history are notified."""

        AUTO = "auto", _("One by one if there are few, else in a summary")
        SILENT = "silent", _("Not at all")
        NOTIFY = "notify", _("Each letter")

    class State(models.TextChoices):
        WORKING = "working", _("Working")
        BEHIND = "behind", _("Behind")
        THROTTLED = "throttled", _("Slowed down by the server")
        REJECTED = "rejected", _("Rejected by the server")
        UNREACHABLE = "unreachable", _("Server out of reach")
        FULL = "full", _("Waits for room on the disk")
        STOPPED = "stopped", _("Stopped, a decision is needed")

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="collection_accounts"
    )
    name = models.CharField(max_length=200)
    active = models.BooleanField(default=True)
    store = models.ForeignKey(
        Store, on_delete=models.RESTRICT, null=True, blank=True, related_name="collection_accounts"
    )
    address = models.CharField(max_length=400, blank=True, default="")

    protocol = models.CharField(max_length=4, choices=Protocol.choices, default=Protocol.IMAP)
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    security = models.CharField(max_length=8, choices=Security.choices, default=Security.TLS)
    username = models.CharField(max_length=400)
    secret = models.BinaryField()  # sealed by desk/keyring.py
    pinned_sha256 = models.CharField(max_length=64, blank=True, default="")

    group = models.ForeignKey(
        AgentGroup, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    create_customer = models.BooleanField(default=False)
    notify_agent = models.BooleanField(default=True)
    after = models.CharField(max_length=6, choices=After.choices, default=After.LEAVE)
    delete_after_days = models.PositiveSmallIntegerField(default=0)  # of being here, before it goes
    clock = models.JSONField(default=dict)  # how far those days can be believed: intake/grace.py
    start = models.CharField(max_length=4, choices=Start.choices, default=Start.ALL)
    start_date = models.DateField(null=True, blank=True)
    history = models.CharField(max_length=6, choices=History.choices, default=History.AUTO)
    history_to_whole_group = models.BooleanField(default=False)  # its new customers, in one tier
    max_message_bytes = models.BigIntegerField(default=50 * 1024 * 1024)
    trusted_authserv_id = models.CharField(max_length=255, blank=True, default="")
    lists_as_persons = models.BooleanField(default=False)
    hand_out_existing = models.BooleanField(default=False)
    fetch_skipped_at_once = models.BooleanField(default=False)
    fold_dots = models.BooleanField(default=False)
    fold_plus = models.BooleanField(default=False)
    reply_to_senders = models.JSONField(default=list)  # folded addresses of web forms
    poll_seconds = models.FloatField(null=True, blank=True)  # None: the installation's

    state = models.CharField(max_length=12, choices=State.choices, default=State.WORKING)
    state_reason = models.JSONField(default=dict)
    state_since = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)  # until its next success
    told_failing_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)  # in a row
    accept_renumbering = models.BooleanField(default=False)  # a person said: go on
    last_collected_at = models.DateTimeField(null=True, blank=True)
    history_done_at = models.DateTimeField(null=True, blank=True)
    history_paused = models.BooleanField(default=False)  # new mail is collected all the same
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="account_name_once"),
        ]

    def __str__(self) -> str:
        return self.name


class Duty(LeasedRow):
    """A kind of work that a collection account gives, claimed by one worker at a time.

    `collect` is everything that talks to the server (collect and settle); `process` reads what is
    in custody and needs no server, so it goes on while the server is away.
    """

    class Kind(models.TextChoices):
        COLLECT = "collect"
        PROCESS = "process"

    account = models.ForeignKey(CollectionAccount, on_delete=models.CASCADE, related_name="duties")
    kind = models.CharField(max_length=10, choices=Kind.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "kind"], name="duty_once"),
        ]
        indexes = [models.Index(fields=["kind", "due_at"], name="duty_due")]

    def __str__(self) -> str:
        return f"{self.kind} of account {self.account_id}"
