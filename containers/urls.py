from django.urls import path
from django.views.generic import RedirectView

from containers.views import account, audit, health, nodes, people, templates
from containers.views.containers import creation, overview, passwords, refusals, requests, settings
from containers.views.operations import answers, cancellations, logs, pages
from containers.views.reinstallation import replaced, wizard
from containers.views.scripts import editor, findings, foreign, publication, versions
from containers.views.sign_in import attendance, entry, factors, passkeys
from containers.views.snapshots import clones, line, restorations, schedules

urlpatterns = [
    path("", overview.home, name="home"),
    path("containers/", overview.index, name="containers"),
    path("containers/new/", creation.new, name="new_container"),
    path("containers/<int:ctid>/", overview.show, name="container"),
    path("containers/<int:ctid>/settings/", settings.edit, name="settings"),
    path(
        "containers/<int:ctid>/settings/refused/<int:pk>/",
        refusals.answer,
        name="refused_settings",
    ),
    path("containers/<int:ctid>/password/", passwords.edit, name="password"),
    path("containers/<int:ctid>/reinstallation/", wizard.edit, name="reinstallation"),
    path("containers/<int:ctid>/replaced/<int:number>/", replaced.show, name="replaced"),
    path(  # its former address
        "containers/<int:ctid>/kept/<int:number>/", RedirectView.as_view(pattern_name="replaced")
    ),
    path("containers/<int:ctid>/operations/", requests.index, name="requests"),
    path("containers/<int:ctid>/operations/new/<slug:kind>/", requests.new, name="request"),
    path("containers/<int:ctid>/snapshots/", line.index, name="snapshots"),
    path("containers/<int:ctid>/snapshots/schedule/", schedules.edit, name="schedule"),
    path("containers/<int:ctid>/snapshots/<uuid:uuid>/", line.show, name="snapshot"),
    path(
        "containers/<int:ctid>/snapshots/<uuid:uuid>/restoration/",
        restorations.new,
        name="restoration",
    ),
    path(
        "containers/<int:ctid>/snapshots/<uuid:uuid>/deletion/",
        line.delete,
        name="snapshot_deletion",
    ),
    path(
        "containers/<int:ctid>/snapshots/<uuid:uuid>/verification/",
        line.verify,
        name="verification",
    ),
    path(
        "containers/<int:ctid>/snapshots/<uuid:uuid>/trial-restore/",
        line.try_restore,
        name="trial",
    ),
    path(  # its former address
        "containers/<int:ctid>/snapshots/<uuid:uuid>/rehearsal/", line.try_restore
    ),
    path(
        "containers/<int:ctid>/snapshots/<uuid:uuid>/protection/",
        line.protect,
        name="protection",
    ),
    path("containers/<int:ctid>/snapshots/<uuid:uuid>/clone/", clones.new, name="cloning"),
    path(
        "containers/<int:ctid>/snapshots/<uuid:uuid>/template/",
        clones.publish,
        name="snapshot_template",
    ),
    path("containers/<int:ctid>/scripts/<slug:name>/", editor.edit, name="script"),
    path("containers/<int:ctid>/scripts/<slug:name>/versions/", versions.index, name="versions"),
    path("containers/<int:ctid>/scripts/<slug:name>/file/", foreign.show, name="foreign"),
    path("containers/<int:ctid>/scripts/<slug:name>/disabling/", editor.disable, name="disable"),
    path("scripts/", editor.index, name="scripts"),
    path("scripts/findings/", findings.show, name="findings"),
    path("scripts/<slug:node>/publications/", publication.create, name="publication"),
    path("scripts/<slug:node>/<slug:name>/", editor.edit, name="global_script"),
    path("scripts/<slug:node>/<slug:name>/versions/", versions.index, name="global_versions"),
    path("scripts/<slug:node>/<slug:name>/file/", foreign.show, name="global_foreign"),
    path("scripts/<slug:node>/<slug:name>/disabling/", editor.disable, name="global_disable"),
    path("operations/", pages.index, name="operations"),
    path("operations/<int:pk>/", pages.show, name="operation"),
    path("operations/<int:pk>/log", logs.show, name="log"),
    path("operations/<int:pk>/log/text", logs.text, name="log_text"),
    path("operations/<int:pk>/log/download", logs.download, name="download"),
    path("operations/<int:pk>/cancellation/", cancellations.create, name="cancel"),
    path("operations/<int:pk>/answer/", answers.create, name="answer"),
    path("nodes/", nodes.index, name="nodes"),
    path("nodes/<slug:name>/", nodes.show, name="node"),
    path("templates/", templates.index, name="templates"),
    path("templates/<int:pk>/", templates.edit, name="template"),
    path("people/", people.index, name="people"),
    path("people/new/", people.new, name="new_person"),
    path("people/<int:pk>/", people.show, name="person"),
    path("people/<int:pk>/second-factor/", factors.reset, name="second_factor_reset"),
    path("people/<int:pk>/link/", people.link, name="password_link"),
    path(
        "people/set-password/<uidb64>/<token>/", account.SetPassword.as_view(), name="set_password"
    ),
    path("audit/", audit.index, name="audit"),
    path("login/", entry.SignIn.as_view(), name="login"),
    path("login/code/", entry.code, name="sign_in_code"),
    path("login/passkey/", passkeys.sign_in, name="passkey_sign_in"),
    path("login/passkey/challenge/", passkeys.challenge, name="passkey_challenge"),
    path("logout/", account.SignOut.as_view(), name="logout"),
    path("account/", account.edit, name="account"),
    path("account/sessions/", attendance.end, name="sessions"),
    path("account/second-factor/", factors.show, name="second_factor"),
    path("account/passkeys/", passkeys.index, name="passkeys"),
    path("account/theme/", account.theme, name="theme"),
    path("health", health.show, name="health"),
]
