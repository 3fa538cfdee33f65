package dev.sallyport.app.admin;

import dev.sallyport.acme.keep.CertificateKeeper;
import dev.sallyport.acme.keep.CertificateKeeper.Answer;
import dev.sallyport.acme.keep.KeeperState;
import dev.sallyport.acme.keep.Kept;
import dev.sallyport.acme.plan.Identifier;
import dev.sallyport.acme.store.CertificateId;
import dev.sallyport.model.name.Hostname;
import java.util.Optional;

/**
 * What can be asked and told of the certificates that the gateway has issued for itself. Safe from
 * any thread; does not block.
 */
public interface AcmeDesk {

    /** What is known now. */
    KeeperState state();

    /**
     * Which certificate a host has, or an address if it is one of the gateway's own; who does not
     * lead does not know which are.
     */
    default Optional<CertificateId> find(Identifier named) {
        return switch (named) {
            case Identifier.Dns(Hostname name) -> Optional.of(CertificateId.of(name));
            case Identifier.Ip _ when !state().leads() -> Optional.of(CertificateId.ADDRESSES);
            case Identifier.Ip address ->
                    state().certificates().stream()
                            .filter(kept ->
                                    kept.id().equals(CertificateId.ADDRESSES)
                                            && kept.names().contains(address))
                            .map(Kept::id)
                            .findFirst();
        };
    }

    /** Has a certificate renewed at once, whatever the plan. */
    Answer renew(CertificateId id);

    /** Has the CA revoke a certificate, then orders another if it is wanted. */
    Answer revoke(CertificateId id, boolean keyCompromised);

    /** Has an issuer's account change its key, once no order is under way there. */
    Answer rollOver(String issuer);

    /** That of a keeper. */
    static AcmeDesk of(CertificateKeeper keeper) {
        return new AcmeDesk() {
            @Override
            public KeeperState state() {
                return keeper.state();
            }

            @Override
            public Answer renew(CertificateId id) {
                return keeper.renew(id);
            }

            @Override
            public Answer revoke(CertificateId id, boolean keyCompromised) {
                return keeper.revoke(id, keyCompromised);
            }

            @Override
            public Answer rollOver(String issuer) {
                return keeper.rollOver(issuer);
            }
        };
    }
}
