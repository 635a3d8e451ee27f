#!/bin/sh
# One upgrade from a CI job: create, start, wait. Needs curl and jq, nothing else; promotes and approves nothing.
#
#   upgrade.sh run request.json   exit code 0 only if the upgrade is COMPLETED
#   upgrade.sh cancel             cancels the upgrade of this job, if it has not ended
#
# UPGRADES_URL               where Airflow is: https://airflow.example.com
# UPGRADES_TOKEN             a token of Airflow; or UPGRADES_USER and UPGRADES_PASSWORD, to get one with
# UPGRADES_TENANT            whose deployment is upgraded
# UPGRADES_KEY               names this job (at most 200 characters): a call that is repeated is not done twice
# UPGRADES_DEADLINE          seconds to wait for the end (3600)
# UPGRADES_POLL              seconds between two reads of the execution (5)
# UPGRADES_CANCEL_ON_ABORT   true: cancel the upgrade when this is stopped or the deadline is over; else it goes on
# UPGRADES_ID_FILE           where the upgrade's id is kept for "cancel" (.upgrade-id)
#
# Exit codes: 0 COMPLETED · 1 any other end · 2 refused or called wrongly · 3 the deadline is over · 130, 143 stopped

set -eu
umask 077

say() { echo "upgrade: $*"; }
quit() { code=$1 && shift && echo "upgrade: $*" >&2 && exit "$code"; }

for program in curl jq; do
    command -v "$program" >/dev/null || quit 2 "this needs $program"
done
: "${UPGRADES_URL:?where Airflow is, such as https://airflow.example.com}"
site=${UPGRADES_URL%/}
api=$site/api/v1/registry
id_file=${UPGRADES_ID_FILE:-.upgrade-id}
end=$(($(date +%s) + ${UPGRADES_DEADLINE:-3600}))
id=
stuck=
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'abort 130' INT
trap 'abort 143' TERM

# The token goes to curl in a file: arguments are for everybody on the machine to read.
authorize() {
    token=${UPGRADES_TOKEN:-}
    if [ -z "$token" ]; then
        : "${UPGRADES_USER:?or UPGRADES_TOKEN}" "${UPGRADES_PASSWORD:?or UPGRADES_TOKEN}"
        jq -n '{username: env.UPGRADES_USER, password: env.UPGRADES_PASSWORD}' >"$work/login"
        printf 'Content-Type: application/json\n' >"$work/headers"
        insist POST "$site/auth/token" "$work/login"
        [ "$status" = 201 ] || quit 2 "no token for user $UPGRADES_USER: HTTP $status"
        token=$(jq -r .access_token "$work/answer")
    fi
    printf 'Content-Type: application/json\nAuthorization: Bearer %s\n' "$token" >"$work/headers"
}

# call METHOD URL [FILE] [KEY]: the code in $status (000: no response), the body in $work/answer
call() {
    status=$(curl --silent --max-time 30 --request "$1" --header "@$work/headers" \
        ${3:+--data "@$3"} ${4:+--header "Idempotency-Key: $4"} \
        --output "$work/answer" --write-out '%{http_code}' "$2") || status=000
}

# As call, again and again while the server is away.
insist() {
    call "$@"
    while case $status in 000 | 429 | 502 | 503 | 504) true ;; *) false ;; esac do
        say "no response from $site ($status), trying again"
        rest
        call "$@"
    done
}

# In the background, so that a signal does not have to wait for its end.
rest() {
    [ "$(date +%s)" -lt "$end" ] || late
    sleep "${UPGRADES_POLL:-5}" &
    wait $!
}

late() {
    [ -z "$id" ] || maybe_cancel
    quit 3 "the deadline of ${UPGRADES_DEADLINE:-3600} seconds is over${stuck:+; it needs attention: $stuck}"
}

abort() {
    trap '' INT TERM
    [ -z "$id" ] || maybe_cancel
    quit "$1" "stopped"
}

maybe_cancel() {
    if [ "${UPGRADES_CANCEL_ON_ABORT:-false}" = true ]; then cancel; else say "upgrade $id goes on"; fi
}

cancel() {
    call POST "$api/upgrades/$id/cancel"
    case $status in
        200) say "$id cancelled: $(jq -r .statusReason "$work/answer")" ;;
        409) say "$id has ended already" ;;
        *) say "$id could not be cancelled: HTTP $status" ;;
    esac
}

# Why a call was refused: every field and every blocker.
refused() {
    jq -r '"\(.code): \(.detail)", (.errors // [] | .[] | "  \(.field) \(.message)")' "$work/answer" >&2 || true
    quit 2 "$1 was refused: HTTP $status"
}

create_and_start() {
    jq -e 'type == "object"' "$1" >/dev/null || quit 2 "$1 is not a JSON object"
    : "${UPGRADES_TENANT:?whose deployment is upgraded}"
    key=${UPGRADES_KEY:+$UPGRADES_KEY-create}
    insist POST "$api/tenants/$UPGRADES_TENANT/upgrades" "$1" "$key"
    [ "$status" = 201 ] || refused "the upgrade"
    id=$(jq -r .id "$work/answer")
    echo "$id" >"$id_file"
    say "$id created: $site$(jq -r .links.airflow "$work/answer")"
    insist POST "$api/upgrades/$id/start" "" "${UPGRADES_KEY:+$UPGRADES_KEY-start}"
    # a start whose response was lost may have happened: the first read of the execution shows it
    case $status in 202 | 409) ;; *) refused "the start" ;; esac
}

shown='"\(.status) \(.progress.percentage) %, \(.progress.completed) of \(.progress.total) instances: \(.statusReason)"
    + (if .status == "CANARY_MONITORING" then " (waits for promote-canary)" else "" end)
    + (if .awaitingApproval then " (stage \(.awaitingApproval.stage) waits for an approval)" else "" end)'

# What keeps the upgrade from going on: said once when it begins, and once when it is over.
attention() {
    now=$(jq -r '.attention.code // ""' "$work/answer")
    if [ -n "$now" ]; then
        stuck=$(jq -r '.attention | "\(.code): \(.message)"' "$work/answer")
        [ "$now" = "$code" ] || say "$(jq -r '"needs attention since \(.attention.since)"' "$work/answer"): $stuck"
    else
        [ -z "$code" ] || say "goes on: $code is over"
        stuck=
    fi
    code=$now
}

follow() {
    before=
    code=
    while :; do
        insist GET "$api/upgrades/$id"
        case $status in
            200) ;;
            401) # the token's day is over
                [ -z "${UPGRADES_TOKEN:-}" ] || refused "the token"
                rest
                authorize
                continue
                ;;
            *) refused "reading $id" ;;
        esac
        now=$(jq -r "$shown" "$work/answer")
        [ "$now" = "$before" ] || say "$now"
        before=$now
        attention
        case $(jq -r .status "$work/answer") in
            COMPLETED) exit 0 ;;
            FAILED | ROLLED_BACK | CANCELLED) failed ;;
        esac
        rest
    done
}

failed() {
    jq -r '.validationChecks[] | select(.status == "FAILED") | "  \(.name): \(.message)"' "$work/answer" >&2
    quit 1 "$id is $(jq -r '"\(.status): \(.statusReason)"' "$work/answer")"
}

case ${1:-}:$# in
    run:2)
        authorize
        create_and_start "$2"
        follow
        ;;
    cancel:1)
        [ -s "$id_file" ] || quit 0 "no upgrade was created"
        id=$(cat "$id_file")
        authorize
        cancel
        ;;
    *) quit 2 "call it as: $0 run request.json, or: $0 cancel" ;;
esac
