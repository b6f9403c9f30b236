"""Only what we want of allauth is here, at addresses of our own and under the names that it looks for."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from sign_in.views import account, invitations, second_factors, sign_in, single_sign_on

_MEMBERS = "projects/<slug:slug>/settings/members/"

urlpatterns = [
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-in/", sign_in.SignIn.as_view(), name="account_login"),
    path("sign-in/second-factor/", second_factors.GiveFactor.as_view(), name="mfa_authenticate"),
    path("sign-in/sso/", single_sign_on.leave, name="sign_in_sso"),
    # The name, and its argument, by which allauth finds it.
    path("sign-in/sso/callback/", single_sign_on.come_back, {"provider_id": "sso"}, name="openid_connect_callback"),
    path("sign-in/forgotten/", sign_in.ask_for_reset, name="password_forgotten"),
    path("sign-in/reset/<uidb64>/<reset_token>/", sign_in.ResetPassword.as_view(), name="password_reset"),
    path("sign-out/", LogoutView.as_view(), name="sign_out"),
    path("invitations/<str:signed>/", invitations.answer, name="invitation"),
    path("account/", account.show_account, name="account"),
    path("account/edit/", account.EditProfile.as_view(), name="account_edit"),
    path("account/email/", account.ChangeEmail.as_view(), name="account_email_change"),
    path("account/email/<str:signed>/", account.confirm_email, name="account_email_confirm"),
    path("account/password/", account.ChangePassword.as_view(), name="account_password"),
    path("account/sessions/<int:session_id>/end/", account.end_session, name="session_end"),
    path("account/sessions/end/", account.end_other_sessions, name="sessions_end"),
    path("account/confirm/", second_factors.ConfirmByPassword.as_view(), name="account_reauthenticate"),
    path("account/confirm/code/", second_factors.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("account/confirm/key/", second_factors.ConfirmByKey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("account/app/", second_factors.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("account/app/remove/", second_factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("account/keys/new/", second_factors.AddKey.as_view(), name="mfa_add_webauthn"),
    path("account/keys/<int:pk>/remove/", second_factors.RemoveKey.as_view(), name="mfa_remove_webauthn"),
    path("account/recovery-codes/", second_factors.ShowCodes.as_view(), name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new/", second_factors.RenewCodes.as_view(), name="mfa_generate_recovery_codes"),
    path(f"{_MEMBERS}invite/", invitations.InviteMember.as_view(), name="member_invite"),
    path(
        f"{_MEMBERS}invitations/<int:invitation_id>/again/", invitations.InviteAgain.as_view(), name="invitation_again"
    ),
    path(
        f"{_MEMBERS}invitations/<int:invitation_id>/revoke/",
        invitations.RevokeInvitation.as_view(),
        name="invitation_revoke",
    ),
]
