package dev.sallyport.control.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sallyport.control.cluster.Contacts.Contact;
import dev.sallyport.control.cluster.Contacts.Trouble;
import java.net.URI;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class ContactsTest {
    private static final WatchedPath PATH = new WatchedPath("/api/v1/services", "");

    private final AtomicLong now = new AtomicLong(100);
    private final Contacts contacts = new Contacts(now::get);

    @Test
    void aListAndItsWatchAreTheSamePath() {
        String base = "/api/v1/namespaces/shop/secrets?";
        assertThat(
                        WatchedPath.of(
                                URI.create(
                                        "https://h"
                                                + base
                                                + "limit=500&fieldSelector=metadata.name%3Da.b")))
                .isEqualTo(
                        WatchedPath.of(
                                URI.create(
                                        "wss://h"
                                                + base
                                                + "fieldSelector=metadata.name%3Da.b&watch=true")))
                .isEqualTo(
                        new Watched<>(WatchedKind.SECRET, WatchScope.of("shop", "a.b")).path(""));
        assertThat(
                        WatchedPath.of(
                                URI.create("https://h/prefix/apis/networking.k8s.io/v1/ingresses")))
                .isEqualTo(
                        new Watched<>(WatchedKind.INGRESS, WatchScope.EVERYWHERE).path("/prefix"));
    }

    @Test
    void nothingIsNotedOfWhatNobodyWatches() {
        contacts.failed(PATH, new Trouble(500, ""));
        contacts.opened(PATH);
        assertThat(contacts.of(PATH)).isEqualTo(Contact.NONE);
    }

    @Test
    void whatIsHeardIsRemembered() {
        contacts.expect(PATH);
        Contacts.Session session = contacts.opened(PATH);
        now.set(200);
        session.heard();
        assertThat(contacts.of(PATH))
                .isEqualTo(new Contact(true, true, Optional.of(200L), Optional.empty()));
        now.set(300);
        session.closed();
        assertThat(contacts.of(PATH))
                .isEqualTo(new Contact(false, true, Optional.of(200L), Optional.empty()));
    }

    @Test
    void theNextWatchMayBeOpenBeforeTheLastIsClosed() {
        contacts.expect(PATH);
        Contacts.Session first = contacts.opened(PATH);
        contacts.opened(PATH);
        first.closed();
        assertThat(contacts.of(PATH).watching()).isTrue();
    }

    @Test
    void troubleEndsWithTheNextWatch() {
        contacts.expect(PATH);
        contacts.opened(PATH).failed("no pong");
        assertThat(contacts.of(PATH).trouble()).contains(new Trouble(0, "no pong"));
        contacts.opened(PATH);
        assertThat(contacts.of(PATH).trouble()).isEmpty();
    }

    @Test
    void whatAnAnswerSaysIsNotOverwrittenByItsBareStatus() {
        contacts.expect(PATH);
        contacts.failed(PATH, new Trouble(403, "not you"));
        contacts.failed(PATH, new Trouble(403, ""));
        assertThat(contacts.of(PATH).trouble().map(Trouble::toString)).contains("403: not you");
        contacts.failed(PATH, new Trouble(500, ""));
        assertThat(contacts.of(PATH).trouble().map(Trouble::toString)).contains("status 500");
    }

    @Test
    void aConnectionOfBeforeIsNotTakenForOneOfNow() {
        contacts.expect(PATH);
        Contacts.Session old = contacts.opened(PATH);
        contacts.forget(PATH);
        contacts.expect(PATH);
        contacts.opened(PATH);
        old.failed("closed late");
        assertThat(contacts.of(PATH).watching()).isTrue();
        assertThat(contacts.of(PATH).trouble()).isEmpty();
    }
}
