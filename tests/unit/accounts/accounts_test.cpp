#include "connector/accounts/accounts.h"

#include <gtest/gtest.h>

#include "store/messages.h"
#include "tests/temp_folder.h"

namespace postern::accounts {
namespace {

class AccountsTest : public testing::Test {
  protected:
    void SetUp() override { open(); }
    void open() {
        store_.reset();
        store::StoreOptions options;
        options.folder = folder_.path() + "/store";
        options.migrations = store::messageMigrations();
        auto opened = store::Store::open(std::move(options));
        ASSERT_TRUE(opened.ok()) << opened.error().text;
        store_ = std::move(opened).value();
    }
    Result<void> add(const std::string& name, const std::string& password,
                     Roles roles = {true, false, false, false}) {
        const Verifier verifier = *makeVerifier(password, kLeastIterations);
        return store_->write([&](store::WriteSession& session) {
            return addAccount(session, Account{name, verifier, roles, fromMillis(1'000)});
        });
    }
    Result<void> remove(const std::string& name) {
        return store_->write([&](store::WriteSession& session) { return removeAccount(session, name); });
    }
    Result<void> change(const std::string& name, const std::string& password) {
        const Verifier verifier = *makeVerifier(password, kLeastIterations);
        return store_->write([&](store::WriteSession& session) {
            return changeVerifier(session, name, verifier, fromMillis(2'000));
        });
    }
    std::vector<Account> list() {
        std::vector<Account> accounts;
        EXPECT_TRUE(store_
                        ->read([&](store::ReadSession& session) -> Result<void> {
                            POSTERN_LET(found, listAccounts(session));
                            accounts = std::move(found);
                            return {};
                        })
                        .ok());
        return accounts;
    }
    std::string tryLogOn(const std::string& name, const std::string& password) {
        const auto directory = Directory::open(*store_);
        if (!directory.ok()) return directory.error().text;
        const auto login = directory->logOn(name, password);
        return login.ok() ? "ok " + login->name
                          : std::string(errcName(login.error().code)) + ": " + login.error().text;
    }

    tests::TempFolder folder_;
    std::unique_ptr<store::Store> store_;
};

TEST_F(AccountsTest, LogOnWithThePasswordAndNothingElse) {
    ASSERT_TRUE(add("anna", "secret").ok());
    EXPECT_EQ(tryLogOn("anna", "secret"), "ok anna");
    const std::string no = "denied: name or password is wrong";
    for (const auto& [name, password] :
         std::vector<std::pair<std::string, std::string>>{{"anna", "Secret"},
                                                          {"anna", ""},
                                                          {"Anna", "secret"},
                                                          {"bob", "secret"},
                                                          {"", "secret"},
                                                          {"an\tna", "secret"},
                                                          {"\xff", "\xff"},
                                                          {"anna", std::string("secret\0", 7)}})
        EXPECT_EQ(tryLogOn(name, password), no) << name << " " << password;
}

TEST_F(AccountsTest, APasswordIsChangedAndAnAccountRemoved) {
    ASSERT_TRUE(add("anna", "secret").ok());
    EXPECT_EQ(add("anna", "other").error().code, Errc::Exists);
    EXPECT_EQ(tryLogOn("anna", "secret"), "ok anna") << "the refused add changed nothing";
    ASSERT_TRUE(change("anna", "other").ok());
    EXPECT_EQ(tryLogOn("anna", "other"), "ok anna");
    EXPECT_NE(tryLogOn("anna", "secret"), "ok anna");
    EXPECT_EQ(list().at(0).changed, fromMillis(2'000));
    ASSERT_TRUE(remove("anna").ok());
    EXPECT_NE(tryLogOn("anna", "other"), "ok anna");
    EXPECT_EQ(remove("anna").error().code, Errc::NotFound);
    EXPECT_EQ(change("anna", "x").error().text, "there is no account \"anna\"");
}

TEST_F(AccountsTest, NamesAreComparedAsPrepared) {
    ASSERT_TRUE(add("J\xc3\xbcrgen", "secret").ok());
    EXPECT_EQ(add("Ju\xcc\x88rgen", "secret").error().code, Errc::Exists);
    EXPECT_EQ(tryLogOn("Ju\xcc\x88rgen", "secret"), "ok J\xc3\xbcrgen");
    EXPECT_TRUE(remove("Ju\xcc\x88rgen").ok());
    EXPECT_EQ(add("a\nb", "secret").error().text, "the name has a control character");
}

// One could read the other's mail in the chat, or act under the service's name.
TEST_F(AccountsTest, ANameThatCouldBeTakenForAnothersIsRefused) {
    ASSERT_TRUE(add("anna", "pencil").ok());
    const Result<void> again = add("Anna", "pencil");
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().code, Errc::Exists);
    EXPECT_NE(again.error().text.find("\"anna\""), std::string::npos) << again.error().text;
    for (const char* name : {"postern", "Postern", "#alerts"}) {
        const Result<void> refused = add(name, "pencil");
        ASSERT_FALSE(refused.ok()) << name;
        EXPECT_EQ(refused.error().code, Errc::Invalid) << name;
    }
    EXPECT_EQ(list().size(), 1u);
    ASSERT_TRUE(remove("anna").ok());
    EXPECT_TRUE(add("Anna", "pencil").ok());
}

TEST_F(AccountsTest, RolesAreKept) {
    ASSERT_TRUE(add("b", "x", *parseRoles("admin, viewer")).ok());
    ASSERT_TRUE(add("a", "x").ok());
    const auto accounts = list();
    ASSERT_EQ(accounts.size(), 2U);
    EXPECT_EQ(accounts[0].name, "a");
    EXPECT_EQ(rolesText(accounts[0].roles), "send");
    EXPECT_EQ(rolesText(accounts[1].roles), "viewer admin");
    const auto directory = Directory::open(*store_);
    EXPECT_TRUE(directory->login("b")->roles.admin);
    EXPECT_EQ(directory->login("c").error().code, Errc::Denied);
}

TEST_F(AccountsTest, RolesAreWordsOfAList) {
    EXPECT_EQ(rolesText(*parseRoles("operator,send")), "send operator");
    for (const char* wrong : {"", " ", ",", "root", "Send", "send;viewer"})
        EXPECT_EQ(parseRoles(wrong).error().code, Errc::Invalid) << wrong;
}

TEST_F(AccountsTest, DecoysStayAlikeOverARestart) {
    const auto salt = [&] { return Directory::open(*store_)->candidate("nobody")->verifier.salt; };
    const std::string before = salt();
    EXPECT_FALSE(Directory::open(*store_)->candidate("nobody")->known);
    open();
    EXPECT_EQ(salt(), before);
    ASSERT_TRUE(add("nobody", "x").ok());
    EXPECT_TRUE(Directory::open(*store_)->candidate("nobody")->known);
}

TEST_F(AccountsTest, AVerifierTravelsAsText) {
    const Verifier verifier = *makeVerifier("x", 5'000);
    const auto back = parseVerifier(verifierText(verifier));
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->iterations, 5'000);
    EXPECT_TRUE(matches(*back, "x"));
    const std::string text = verifierText(verifier);
    for (std::size_t cut = 0; cut < text.size(); ++cut)
        EXPECT_FALSE(parseVerifier(text.substr(0, cut)).ok()) << text.substr(0, cut);
    for (const char* wrong : {"SCRAM-SHA-1$5000:a:b", "SCRAM-SHA-256$4095:AAAAAAAAAAAAAAAAAAAAAA==$x:y"})
        EXPECT_FALSE(parseVerifier(wrong).ok()) << wrong;
    std::string dear = text;
    dear.replace(dear.find("5000"), 4, "5000000000");
    EXPECT_FALSE(parseVerifier(dear).ok());
}

}  // namespace
}  // namespace postern::accounts
