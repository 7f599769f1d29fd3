from django.urls import include, path

handler400 = "containers.views.failures.bad_request"
handler403 = "containers.views.failures.forbidden"
handler404 = "containers.views.failures.not_found"
handler500 = "containers.views.failures.server_error"

urlpatterns = [path("", include("containers.urls"))]
